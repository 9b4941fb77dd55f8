local fs = require("neap.fs")
local neap = require("neap")
local pool = require("neap.blocking")
local test = require("neap.test")

local function usage_of(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.are.equal("usage", e.kind)
  assert.matches("^[^\n]*blocking_spec%.lua:%d+: neap%.blocking: ", e.message)
  return e.message
end

local function until_free()
  test.real_time(function()
    while pool.stats().kept > 0 do neap.sleep("5ms") end
  end)
end

describe("neap.blocking", function()
  it("calls a C function on another thread and returns what it returns", function()
    assert.are.equal("ababab", neap.blocking(string.rep, "ab", 3))
    assert.are.same({ 1, "x", { y = 2.5 } }, { neap.blocking(select, 2, 0, 1, "x", { y = 2.5 }) })
    assert.are.equal(0, select("#", neap.blocking(table.sort, {})))
  end)

  it("lets the other tasks run meanwhile", function()
    local turns = 0
    neap.scope(function(s)
      s:spawn(function() while not neap.cancelled() do turns = turns + 1 neap.sleep("2ms") end end)
      neap.blocking(os.execute, "sleep 0.05")
      s:cancel()
    end)
    assert.is_true(turns > 3)
  end)

  it("raises what the function raises", function()
    local ok, e = pcall(neap.blocking, error, "boom", 0)
    assert.is_false(ok)
    assert.are.equal("boom", e)
    ok, e = pcall(neap.blocking, error, neap.error("mine", "text"))
    assert.is_false(ok)
    assert.are.equal("mine: text", tostring(e))
    ok, e = pcall(neap.blocking, string.rep)
    assert.is_false(ok)
    assert.matches("bad argument #1", e, 1, true)
  end)

  it("takes C functions without upvalues, and what can be copied", function()
    assert.matches("neap.work", usage_of(neap.blocking, function() end), 1, true)
    assert.matches("C function expected, got nil", usage_of(neap.blocking), 1, true)
    assert.matches("upvalues", usage_of(neap.blocking, string.gmatch("a", "a")), 1, true)
    assert.matches("argument 1.x: a function", usage_of(neap.blocking, type, { x = print }), 1, true)
    assert.matches("result 1: a function", usage_of(neap.blocking, neap.raw.io.lines, "/dev/null"), 1, true)
  end)

  it("gives a function that would suspend no task to do it in", function()
    local ok, e = pcall(neap.blocking, require("neap.core.time").sleep, 1)
    assert.is_false(ok)
    assert.are.equal("usage", e.kind)
    assert.matches("cannot suspend in neap.blocking", e.message, 1, true)
  end)

  -- Call `fn` while `count` tasks wait for a command that ends when `fn` has.
  local function with_sleepers(count, fn)
    do
      local folder <close> = fs.temp_dir()
      local command = ("while test -e %s; do sleep 0.02; done"):format(folder.path)
      neap.scope(function(s)
        for _ = 1, count do s:spawn(neap.blocking, os.execute, command) end
        repeat neap.yield() until pool.stats().busy == math.min(count, 16)
        fn(s, command)
        s:cancel()
      end)
    end
    until_free()
    assert.are.equal(0, pool.stats().busy)
  end

  it("has 16 threads at most, and queues what comes then", function()
    with_sleepers(20, function()
      local stats = pool.stats()
      assert.are.same({ limit = 16, threads = 16, busy = 16, kept = 0, queued = 4, waiting = 0 }, stats)
    end)
  end)

  it("leaves the queue when it is cancelled before it began", function()
    with_sleepers(16, function()
      assert.are.equal("timeout", select(2, neap.timeout_or("10ms", neap.blocking, os.execute, "exit 1")))
      assert.are.equal(0, pool.stats().queued)
    end)
  end)

  it("raises at once when its task is cancelled, while the function goes on", function()
    with_sleepers(1, function(s, command)
      local task = s:spawn(neap.blocking, os.execute, command)
      repeat neap.yield() until pool.stats().busy == 2
      task:cancel()
      neap.yield()
      assert.are.equal("cancelled", task:status())
      assert.are.equal(1, pool.stats().kept)
    end)
  end)

  it("returns what was there before the cancellation", function()
    local got
    neap.scope(function(s)
      local task = s:spawn(function() got = neap.blocking(os.getenv, "PATH") end)
      neap.yield()
      while task:status() == "waiting" do neap.yield() end
      task:cancel()
    end)
    assert.are.equal(os.getenv("PATH"), got)
  end)

  it("says so when all its threads are kept by calls that do not return", function()
    -- In a host of its own, whose standard error can be read.
    local script, report = os.tmpname(), os.tmpname()
    local file = assert(io.open(script, "w"))
    file:write([[
      local neap = require("neap")
      neap.scope(function(s)
        for _ = 1, 2 do s:spawn(neap.blocking, os.execute, "sleep 3") end
        repeat neap.sleep("1ms") until require("neap.blocking").stats().busy == 2
        s:cancel()
      end)
      neap.sleep("1100ms")
      neap.timeout_or("1ms", neap.blocking, os.execute, "true")
      os.exit(0)
    ]])
    file:close()
    local binary = assert(io.open("/proc/self/cmdline")):read("a"):match("^[^\0]+")
    neap.blocking(os.execute, ("NEAP_BLOCKING_THREADS=2 %s run %s 2>%s"):format(binary, script, report))
    local text = assert(io.open(report)):read("a")
    os.remove(script)
    os.remove(report)
    assert.matches("neap: neap.blocking: all 2 threads are kept by cancelled calls", text, 1, true)
  end)
end)
