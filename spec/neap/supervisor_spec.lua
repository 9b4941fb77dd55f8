local neap = require("neap")
local test = require("neap.test")

-- Options that note each failure, and when.
local function noting(log, opts)
  opts = opts or {}
  opts.on_error = function(err, task) log[#log + 1] = { err, task.name, test.elapsed() } end
  return opts
end

local function times(log)
  local list = {}
  for i, entry in ipairs(log) do list[i] = entry[3] end
  return list
end

describe("neap.supervisor", function()
  it("is a scope: it joins its tasks and returns what its function returns", function()
    local ended
    local a, b = neap.supervisor(function(s, x)
      s:spawn(function()
        neap.sleep("10ms")
        ended = true
      end)
      return x, "b"
    end, "a")
    assert.are.same({ "a", "b" }, { a, b })
    assert.is_true(ended)
  end)

  it("takes a table with __call for its function, not for options", function()
    local body = setmetatable({}, { __call = function(_, s, x) return s ~= nil, x end })
    assert.are.same({ true, 5 }, { neap.supervisor(body, 5) })
    assert.are.same({ true, 5 }, { neap.supervisor({}, body, 5) })
  end)

  it("has a block form", function()
    local ended
    do
      local s <close> = neap.supervisor({ name = "block" })
      assert.are.equal("block", s.name)
      s:spawn(function()
        neap.sleep("10ms")
        ended = true
      end)
    end
    assert.is_true(ended)
  end)

  it("lets the others go on when a task fails, and tells on_error", function()
    local log, other = {}, nil
    neap.supervisor(noting(log), function(s)
      s:spawn({ name = "bad" }, error, "boom", 0)
      s:spawn(function()
        neap.sleep("10ms")
        other = true
      end)
    end)
    assert.is_true(other)
    assert.are.same({ { "boom", "bad", 0 } }, log)
  end)

  it("leaves a failure to the one who waits for it", function()
    local log = {}
    neap.supervisor(noting(log), function(s)
      local ok, err = s:spawn(error, "boom", 0):outcome()
      assert.is_false(ok)
      assert.are.equal("boom", err)
    end)
    assert.are.same({}, log)
  end)

  it("writes a failure that nobody hears of to standard error, and counts it", function()
    local unheard = require("neap.supervisor").unheard
    local stderr, written = io.stderr, {}
    rawset(io, "stderr", { write = function(_, ...) written[#written + 1] = table.concat({ ... }) end })
    neap.supervisor(function(s)
      s:spawn({ name = "mail" }, function() error("no route", 0) end)
      s:spawn({ name = "heard" }, function() error("known", 0) end):outcome()
    end)
    rawset(io, "stderr", stderr)
    assert.are.equal("neap: mail failed: no route\n", written[1])
    assert.is_nil(table.concat(written):find("known", 1, true))
    assert.are.equal(unheard + 1, require("neap.supervisor").unheard)
  end)

  it("writes a failure that cannot be written, too", function()
    local function unwritable(fn) return setmetatable({}, { __tostring = fn }) end
    local stderr, written = io.stderr, {}
    rawset(io, "stderr", { write = function(_, ...) written[#written + 1] = table.concat({ ... }) end })
    local ok, e = pcall(neap.supervisor, function(s)
      s:spawn({ name = "raises" }, error, unwritable(function() error("worse") end))
      s:spawn({ name = "waits" }, error, unwritable(function() neap.sleep("1s") return "late" end))
      s:spawn({ name = "other" }, function()
        neap.sleep("1ms")
        error("no route", 0)
      end)
    end)
    rawset(io, "stderr", stderr)
    assert.is_true(ok, e)
    local text = table.concat(written)
    for _, line in ipairs({ "raises failed: a table whose __tostring fails",
      "waits failed: a table whose __tostring fails", "other failed: no route" }) do
      assert.is_truthy(text:find("neap: " .. line .. "\n", 1, true), line)
    end
  end)

  it("fails by its body's error, and cancels its tasks", function()
    local cancelled
    assert.has_error(function()
      neap.supervisor(function(s)
        s:spawn(function()
          local _ <close> = neap.defer(function() cancelled = true end)
          neap.sleep(math.huge)
        end)
        test.run_until_idle()
        error("body", 0)
      end)
    end, "body")
    assert.is_true(cancelled)
  end)

  it("fails by what on_error raises", function()
    assert.has_error(function()
      neap.supervisor({ on_error = function() error("worse", 0) end }, function(s)
        s:spawn(error, "boom", 0)
        neap.sleep(math.huge)
      end)
    end, "worse")
  end)

  it("fails by an on_error that waits: that raises usage", function()
    for _, opts in ipairs({ {}, { restart = {} } }) do
      opts.on_error = function() neap.sleep(1) end
      local ok, e = pcall(neap.supervisor, opts, function(s)
        s:spawn(error, "boom", 0)
      end)
      assert.is_false(ok)
      assert.are.equal("usage", e.kind)
      assert.are.equal(0, test.elapsed())
    end
  end)

  it("tells how often it was not enough to restart, whatever was raised", function()
    local err = setmetatable({}, { __tostring = function() error("worse") end })
    local ok, e = pcall(neap.supervisor, noting({}, { restart = { intensity = 0 } }), function(s)
      s:spawn(error, err)
    end)
    assert.is_false(ok)
    assert.are.equal("failed", e.kind)
    assert.are.equal(err, e.cause)
  end)

  it("obeys its deadline", function()
    for _, opts in ipairs({ { deadline = "10ms" }, { deadline_at = neap.now() + 0.020 } }) do
      local ok, e = pcall(neap.supervisor, opts, function(s)
        s:spawn(neap.sleep, math.huge)
      end)
      assert.is_false(ok)
      assert.are.equal("timeout", e.kind)
    end
    assert.is_near(0.020, test.elapsed(), 1e-6)
  end)

  it("refuses unknown options and strategies", function()
    for _, opts in ipairs({ { restrat = {} }, { restart = { strategy = "one" } },
      { restart = { intensty = 3 } }, { restart = { intensity = -1 } } }) do
      local ok, e = pcall(neap.supervisor, opts, print)
      assert.is_false(ok)
      assert.are.equal("usage", e.kind)
    end
  end)
end)

describe("neap.supervisor with restart", function()
  it("starts again what raises: at once, then after delays that double to 1 s", function()
    local log, runs = {}, 0
    local value = neap.supervisor(noting(log, { restart = { intensity = 20, period = "1h" } }), function(s)
      return s:spawn({ name = "worker" }, function(arg)
        runs = runs + 1
        if runs <= 10 then error("boom " .. runs, 0) end
        return arg
      end, "arg"):await()
    end)
    assert.are.equal("arg", value)
    assert.are.equal(11, runs)
    assert.are.same({ "boom 1", "worker", 0 }, log[1])
    local expected, at = { 0, 0 }, 0
    for _, delay in ipairs({ 10, 20, 40, 80, 160, 320, 640, 1000 }) do
      at = at + delay
      expected[#expected + 1] = at
    end
    for i, time in ipairs(times(log)) do assert.is_near(expected[i] / 1000, time, 1e-9) end
  end)

  it("starts again what was started by s:start; it can be ready anew, once in each run", function()
    local log, runs, again = {}, 0, nil
    neap.supervisor(noting(log, { restart = {} }), function(s)
      assert.are.equal(1, s:start(function(ready)
        runs = runs + 1
        ready(runs)
        if runs == 1 then error("boom", 0) end
        again = table.pack(pcall(ready, 3))
      end))
    end)
    assert.are.equal(2, runs)
    assert.are.equal(1, #log)
    assert.are.equal("usage", again[2].kind)
  end)

  it("neither hears of an s:start that failed, nor starts it again", function()
    local log, runs = {}, 0
    neap.supervisor(noting(log, { restart = {} }), function(s)
      assert.are.equal("no port", select(2, pcall(s.start, s, function()
        runs = runs + 1
        error("no port", 0)
      end)))
    end)
    assert.are.equal(1, runs)
    assert.are.same({}, log)
  end)

  it("does not start again what returned or was cancelled", function()
    local runs = 0
    neap.supervisor({ restart = {} }, function(s)
      s:spawn(function() runs = runs + 1 end)
      local task = s:spawn(function()
        runs = runs + 1
        neap.sleep(math.huge)
      end)
      neap.sleep("10ms")
      task:cancel()
      assert.are.equal("cancelled", select(2, task:outcome()).kind)
    end)
    assert.are.equal(2, runs)
  end)

  it("raises `failed` after more failures than `intensity` within `period`", function()
    local log, other = {}, nil
    local ok, e = pcall(neap.supervisor, noting(log, { restart = { intensity = 2, period = "1s" } }),
      function(s)
        s:spawn({ name = "a" }, function()
          neap.sleep("1ms")
          error("a failed", 0)
        end)
        s:spawn({ name = "b" }, function()
          local _ <close> = neap.defer(function() other = neap.cancelled() ~= nil end)
          neap.sleep(math.huge)
        end)
      end)
    assert.is_false(ok)
    assert.are.equal("failed", e.kind)
    assert.are.equal("a failed", e.cause)
    assert.are.equal(3, #log)
    assert.is_true(other)
  end)

  it("counts the failures of all tasks", function()
    local ok, e = pcall(neap.supervisor, noting({}, { restart = { intensity = 2 } }), function(s)
      for i = 1, 3 do
        local failed
        s:spawn(function()
          neap.sleep(i / 1000)
          if failed then neap.sleep(math.huge) end
          failed = true
          error(i, 0)
        end)
      end
    end)
    assert.is_false(ok)
    assert.are.equal(3, e.cause)
  end)

  it("begins anew after a period without a failure of the task", function()
    local log, runs = {}, 0
    neap.supervisor(noting(log, { restart = { intensity = 2, period = "1s" } }), function(s)
      s:spawn(function()
        runs = runs + 1
        if runs == 3 then neap.sleep("1s") end
        if runs < 5 then error(runs, 0) end
      end)
    end)
    assert.are.equal(5, runs)
    -- The third run failed a second after the second failure: the delay was reset.
    local at = times(log)
    assert.is_near(1.010, at[3], 1e-9)
    assert.is_near(1.010, at[4], 1e-9)
  end)

  it("keeps the delay of each task apart", function()
    local log = {}
    neap.supervisor(noting(log, { restart = {} }), function(s)
      local a, b = 0, 0
      s:spawn({ name = "a" }, function()
        a = a + 1
        if a < 3 then error("a", 0) end
      end)
      s:spawn({ name = "b" }, function()
        b = b + 1
        neap.sleep("5ms")
        if b < 2 then error("b", 0) end
        assert.are.equal(0.010, test.elapsed())
      end)
    end)
    assert.are.equal(3, #log)
  end)

  it("waits with `await` for the last run, and calls on_error for every failure", function()
    local log, runs = {}, 0
    neap.supervisor(noting(log, { restart = {} }), function(s)
      local task = s:spawn(function()
        runs = runs + 1
        if runs < 3 then error(runs, 0) end
        return "last"
      end)
      assert.are.equal("last", task:await())
    end)
    assert.are.equal(2, #log)
  end)

  it("cancels, joins and starts again all that run with one_for_all", function()
    local begun, ended = {}, {}
    neap.supervisor(noting({}, { restart = { strategy = "one_for_all" } }), function(s)
      local function worker(name, fails)
        begun[#begun + 1] = name
        local _ <close> = neap.defer(function()
          ended[#ended + 1] = name
          if name == "c" then neap.shield("1s", neap.sleep, "5ms") end
        end)
        neap.sleep("10ms")
        if fails and #begun == 4 then error(name, 0) end    -- its first run
        neap.sleep("20ms")
      end
      s:spawn(worker, "a")
      s:spawn(worker, "b", true)
      s:spawn(worker, "c")
      s:spawn(function() begun[#begun + 1] = "returns" end)
    end)
    local first, again = { table.unpack(begun, 1, 4) }, { table.unpack(begun, 5) }
    table.sort(first)
    table.sort(again)
    assert.are.same({ "a", "b", "c", "returns" }, first)
    assert.are.same({ "a", "b", "c" }, again)
    assert.are.equal(6, #ended)
    -- b fails at 10 ms, c has cleaned up at 15 ms, all run for 30 ms, and c cleans up.
    assert.are.equal(0.050, test.elapsed())
  end)

  it("starts again those that were spawned later with rest_for_one", function()
    local runs = { a = 0, b = 0, c = 0 }
    neap.supervisor(noting({}, { restart = { strategy = "rest_for_one" } }), function(s)
      local function worker(name)
        runs[name] = runs[name] + 1
        neap.sleep("10ms")
        if name == "b" and runs.b == 1 then error(name, 0) end
        neap.sleep("10ms")
      end
      s:spawn(worker, "a")
      s:spawn(worker, "b")
      s:spawn(worker, "c")
    end)
    assert.are.same({ a = 1, b = 2, c = 2 }, runs)
  end)

  it("starts a group again once when two of it fail at the same time", function()
    local log, runs = {}, { a = 0, b = 0, c = 0 }
    neap.supervisor(noting(log, { restart = { strategy = "one_for_all" } }), function(s)
      local function worker(name, fails)
        runs[name] = runs[name] + 1
        neap.sleep("10ms")
        if fails and runs[name] == 1 then error(name, 0) end
        neap.sleep("10ms")
      end
      s:spawn({ name = "a" }, worker, "a", true)
      s:spawn({ name = "b" }, worker, "b", true)
      s:spawn({ name = "c" }, worker, "c")
    end)
    assert.are.same({ a = 2, b = 2, c = 2 }, runs)
    table.sort(log, function(x, y) return x[1] < y[1] end)
    assert.are.same({ { "a", "a", 0.010 }, { "b", "b", 0.010 } }, log)
    assert.are.equal(0.030, test.elapsed())
  end)

  it("starts one group again after the other", function()
    local runs, begun = { a = 0, b = 0, c = 0 }, {}
    neap.supervisor(noting({}, { restart = { strategy = "rest_for_one" } }), function(s)
      local function worker(name, ms)
        runs[name] = runs[name] + 1
        begun[#begun + 1] = name
        local _ <close> = neap.defer(function()
          if name == "c" then neap.shield("1s", neap.sleep, "10ms") end
        end)
        neap.sleep(ms / 1000)
        if name ~= "c" and runs[name] == 1 then error(name, 0) end
        neap.sleep("20ms")
      end
      s:spawn(worker, "a", 12)
      s:spawn(worker, "b", 10)
      s:spawn(worker, "c", 10)
    end)
    -- b fails at 10 ms and waits for c until 20; a fails at 12, waits for that, and stops both.
    assert.are.equal(2, runs.a)
    assert.are.equal(3, runs.b)
    local last = {}
    for i, name in ipairs(begun) do last[name] = i end
    assert.is_true(last.a < last.b and last.a < last.c)
  end)

  it("fails by what on_error raises, and tells it of a task that was killed", function()
    assert.has_error(function()
      neap.supervisor({ restart = {}, on_error = function() error("worse", 0) end }, function(s)
        s:spawn(error, "boom", 0)
        neap.sleep(math.huge)
      end)
    end, "worse")

    local log, runs = {}, 0
    neap.supervisor(noting(log, { restart = {} }), function(s)
      local task = s:spawn({ name = "deaf" }, function()
        runs = runs + 1
        while true do neap.raw.pcall(neap.sleep, math.huge) end
      end)
      neap.sleep("10ms")
      task:cancel()
    end)
    assert.are.equal(1, runs)
    assert.are.equal(1, #log)
    assert.are.equal("killed", log[1][1].kind)
  end)

  it("restarts a task of the group that swallowed its cancellation", function()
    local runs = { a = 0, b = 0 }
    neap.supervisor(noting({}, { restart = { strategy = "one_for_all" } }), function(s)
      s:spawn(function()
        runs.a = runs.a + 1
        neap.raw.pcall(neap.sleep, "20ms")
      end)
      s:spawn(function()
        runs.b = runs.b + 1
        neap.sleep("10ms")
        if runs.b == 1 then error("b", 0) end
      end)
    end)
    assert.are.same({ a = 2, b = 2 }, runs)
  end)

  it("fails if a task that is stopped does not end within `shutdown`", function()
    local ok, e = pcall(neap.supervisor,
      noting({}, { restart = { strategy = "one_for_all", shutdown = "100ms" } }), function(s)
        s:spawn({ name = "stubborn" }, function()
          local _ <close> = neap.defer(neap.shield, "1s", neap.sleep, "200ms")
          neap.sleep(math.huge)
        end)
        s:spawn(function()
          neap.sleep("10ms")
          error("b", 0)
        end)
      end)
    assert.is_false(ok)
    assert.are.equal("failed", e.kind)
    assert.is_truthy(e.message:find("stubborn", 1, true))
    assert.are.equal(0.210, test.elapsed())
  end)

  it("ends with its caller's cancellation, also during a delay", function()
    local runs = 0
    local _, why = neap.timeout_or("15ms", neap.supervisor, noting({}, { restart = {} }), function(s)
      s:spawn(function()
        runs = runs + 1
        error("boom", 0)
      end)
    end)
    assert.are.equal("timeout", why)
    assert.are.equal(3, runs)       -- at 0, 0 and 10 ms; the next would be at 30 ms
  end)
end)
