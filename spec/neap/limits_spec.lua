-- The numbers that hold when a script says nothing else. What happens at a limit that a
-- script has set stands in the spec of its noun.

local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised = support.raised

-- How many times `fn` goes through before it has to wait.
local function without_waiting(fn)
  local count = 0
  neap.timeout_or(1, function()
    while true do
      fn(count + 1)
      count = count + 1
    end
  end)
  return count
end

describe("without an option", function()
  it("a channel has no buffer", function()
    assert.are.same({ nil, "full" }, { neap.channel():try_send(1) })
    assert.are.same({ nil, "full" }, { neap.channel({}):try_send(1) })
  end)

  it("64 messages wait for an actor", function()
    neap.scope(function(s)
      local a = s:actor { rest = function() neap.sleep(math.huge) end }
      a:tell("rest")
      test.run_until_idle()         -- that one does not wait any more
      assert.are.equal(64, without_waiting(function() a:tell("rest") end))
      s:cancel()
    end)
  end)

  it("64 values wait for a subscriber, and nothing is replayed to it", function()
    local hub = neap.broadcast()
    hub:publish("early")
    local all = hub:subscribe()
    assert.are.equal(64, without_waiting(function(i) hub:publish(i) end))
    assert.are.equal(1, (all:recv()))
  end)

  it("16 values wait for an isolate", function()
    local group <close> = neap.isolates(1, "spec.neap.isolates.echo")
    group:send("busy")
    assert.are.equal("busy", group:recv())
    local sent = 0
    while group[1]:try_send(1) do sent = sent + 1 end
    assert.are.equal(16, sent)
  end)

  it("a supervisor stands 5 failures within 10 s, and not 6", function()
    local function failures_within(period)
      local runs = 0
      local ok = pcall(neap.supervisor, { restart = {}, on_error = function() end }, function(s)
        s:spawn(function()
          neap.sleep(runs > 0 and period / 5 - 0.1 or 0)
          runs = runs + 1
          if runs < 20 then error("again") end
        end)
      end)
      return ok, runs
    end
    assert.are.same({ false, 6 }, { failures_within(9) })
    assert.are.same({ true, 20 }, { failures_within(11) })
  end)

  it("a supervisor waits 5 s for a task that it stops", function()
    for stay, fits in pairs({ [4.9] = true, [5.1] = false }) do
      local failed = false
      local ok, err = pcall(neap.supervisor, { restart = { strategy = "one_for_all" }, on_error = function() end },
        function(s)
          s:spawn(function()
            if failed then return end
            local _ <close> = neap.defer(neap.shield, "1m", neap.sleep, stay)
            neap.sleep(math.huge)
          end)
          s:spawn(function()
            if failed then return end
            neap.sleep(1)
            failed = true
            error("stop")
          end)
        end)
      assert.are.equal(fits, ok)
      assert.is_true(fits or err.kind == "failed")
    end
  end)

  it("neap.work has as many threads as there are processors, or as the environment says", function()
    local binary = neap.fs.open("/proc/self/cmdline"):read("all"):match("^[^\0]+")
    local script = 'print(require("neap.work").stats().limit)'
    local function limit(threads)
      return tonumber(neap.process.run({ binary, "run", "-", stdin = script, env = { NEAP_WORK_THREADS = threads } })
        .stdout)
    end
    assert.are.equal(tonumber(neap.process.run({ "nproc" }).stdout), limit(false))
    assert.are.equal(7, limit("7"))
  end)
end)

describe("at most", function()
  it("1,000 arms are in a select", function()
    local arms = {}
    for i = 1, 1000 do arms[i] = neap.after(i) end
    assert.are.equal(1, (neap.select(arms)))
    arms[1001] = neap.after(0)
    local err = raised(neap.select, arms)
    assert.are.equal("usage", err.kind)
    assert.matches("1001 arms; at most 1000 are allowed", err.message, 1, true)
  end)

  it("256 isolates are in a group", function()
    local err = raised(neap.isolates, 257, "spec.neap.isolates.echo")
    assert.are.equal("usage", err.kind)
    assert.matches("whole number in 1 .. 256 expected, got 257", err.message, 1, true)
  end)

  describe("of a file", function()
    local dir, path

    before_each(function()
      dir = neap.fs.temp_dir()
      path = dir.path .. "/large"
    end)
    after_each(function() dir:remove() end)

    local function make(size) neap.process.run({ "truncate", "-s", tostring(size), path, check = true }) end

    it("1 GiB is read at once", function()
      make(2 ^ 30 | 0)
      assert.are.equal(2 ^ 30, neap.fs.stat(path).size)
      make(2 ^ 30 + 1 | 0)
      local err = raised(neap.fs.read, path)
      assert.are.equal("limit", err.kind)
      assert.matches("max_bytes", err.message, 1, true)
    end)

    it("64 MiB are read to its end in a stream, which has lost nothing then", function()
      make(2 ^ 26 | 0)
      local stream = neap.fs.open(path)
      assert.are.equal(2 ^ 26, #stream:read("all"))
      stream:close()
      make(2 ^ 26 + 1 | 0)
      stream = neap.fs.open(path)
      local err = raised(stream.read, stream, "all")
      assert.are.equal("limit", err.kind)
      assert.matches("max_bytes", err.message, 1, true)
      assert.are.equal(10, #stream:read(10))
      stream:close()
    end)
  end)

  it("256 folders inside each other are listed or removed", function()
    local dir <close> = neap.fs.temp_dir()
    neap.fs.mkdir(dir.path .. ("/d"):rep(255))
    assert.are.equal(255, #neap.fs.list(dir.path, { recursive = true }))
    neap.fs.mkdir(dir.path .. ("/d"):rep(257))
    for _, act in ipairs({ neap.fs.list, neap.fs.remove }) do
      local err = raised(act, dir.path, { recursive = true })
      assert.are.equal("limit", err.kind)
      assert.matches("more than 256 directories inside each other; begin with an inner one", err.message, 1, true)
    end
    neap.fs.remove(dir.path .. "/d/d", { recursive = true })
  end)

  it("64 MiB of a program's output are kept", function()
    local function bytes(count) return { "head", "-c", tostring(count), "/dev/zero" } end
    assert.are.equal(2 ^ 26, #neap.process.run(bytes(2 ^ 26 | 0)).stdout)
    local err = raised(neap.process.run, bytes(2 ^ 26 + 1 | 0))
    assert.are.equal("limit", err.kind)
    assert.matches("max_output", err.message, 1, true)
  end)
end)
