local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local forever, raised = support.forever, support.raised

describe("neap.sleep", function()
  it("takes seconds, and texts with units in falling order", function()
    for d, seconds in pairs({ [0.25] = 0.25, [3] = 3, ["250ms"] = 0.25, ["1m30s"] = 90,
                              ["1h"] = 3600, ["3d"] = 259200, ["1us"] = 1e-6, ["10s"] = 10 }) do
      local from = test.elapsed()
      neap.sleep(d)
      assert.is_true(math.abs(test.elapsed() - from - seconds) < 1e-9)
    end
  end)

  it("reads a text anew when it is another one of the same length", function()
    for _, d in ipairs({ "1s", "1s", "2s", "3m", "2s" }) do neap.sleep(d) end
    assert.are.equal(186, test.elapsed())
  end)

  it("counts a negative duration as none, and lets others run", function()
    local ran = false
    neap.scope(function(s)
      s:spawn(function() ran = true end)
      neap.sleep(-5)
      assert.is_true(ran)
    end)
    assert.are.equal(0, test.elapsed())
  end)

  it("raises usage at the call for anything else", function()
    for _, wrong in ipairs({ 0 / 0, -math.huge, "soon", "", "1s1m", "-1s", "1.5s", "1s1s", true, {} }) do
      local line = debug.getinfo(1, "l").currentline + 1
      local err = raised(function() neap.sleep(wrong) end)
      assert.are.equal("usage", err.kind)
      assert.truthy(err.message:find("time_spec.lua:" .. line .. ":", 1, true))
    end
    assert.are.equal("usage", raised(neap.sleep).kind)
    assert.are.equal(0, test.elapsed())
  end)

  it("sleeps until cancelled when it is told to for ever", function()
    local _, why = neap.timeout_or("30d", neap.sleep, math.huge)
    assert.are.equal("timeout", why)
    assert.are.equal(30 * 86400, test.elapsed())
  end)

  it("is ended by a cancellation, but for one that comes when its time is over #fifo", function()
    local log = {}
    neap.scope(function(s)
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = s:spawn(function()
          neap.sleep(i)
          log[#log + 1] = i
          neap.check()
          log[#log + 1] = "not reached"
        end)
      end
      neap.sleep(2)
      for i = 2, 3 do tasks[i]:cancel() end
      tasks[1]:join()
    end)
    assert.are.same({ 1, "not reached", 2 }, log)
    assert.are.equal(2, test.elapsed())
  end)

  it("is never early", function()
    neap.scope(function(s)
      for i = 1, 100 do
        s:spawn(function()
          local from = neap.monotonic()
          local d = neap.random() * i
          neap.sleep(d)
          assert.is_true(neap.monotonic() - from >= d - 1e-9)
        end)
      end
    end)
  end)

  it("returns nothing", function()
    assert.are.equal(0, select("#", neap.sleep(0)))
  end)
end)

describe("the clocks", function()
  it("tell seconds, as floats", function()
    assert.are.equal("float", math.type(neap.now()))
    assert.are.equal("float", math.type(neap.monotonic()))
    local now, monotonic = neap.now(), neap.monotonic()
    neap.sleep(1.5)
    assert.are.equal(now + 1.5, neap.now())
    assert.is_true(math.abs(neap.monotonic() - monotonic - 1.5) < 1e-9)
  end)
end)

describe("neap.remaining", function()
  it("is the time to the effective deadline, or nil without one", function()
    assert.is_nil(neap.remaining())
    neap.timeout(10, function()
      neap.sleep(4)
      assert.are.equal(6, neap.remaining())
      neap.timeout(100, function() assert.are.equal(6, neap.remaining()) end)
      neap.timeout(1, function() assert.are.equal(1, neap.remaining()) end)
      neap.scope({ deadline = 2 }, function(s)
        s:spawn(function() assert.are.equal(2, neap.remaining()) end)
      end)
    end)
    assert.is_nil(neap.remaining())
  end)

  it("under a shield sees the shield's deadline only", function()
    neap.timeout(1, function()
      neap.shield(5, function() assert.are.equal(5, neap.remaining()) end)
    end)
  end)
end)

describe("neap.random", function()
  it("draws as math.random does", function()
    local function is_between(low, x, high, kind)
      return low <= x and x <= high and math.type(x) == kind
    end
    local right = 0
    for _ = 1, 1000 do
      local x, m, n = neap.random(), neap.random(6), neap.random(-3, 3)
      if is_between(0, x, 1, "float") and x < 1 and is_between(1, m, 6, "integer")
        and is_between(-3, n, 3, "integer") then
        right = right + 1
      end
    end
    assert.are.equal(1000, right)
    assert.are.equal(4, neap.random(4, 4))
    assert.are.equal("integer", math.type(neap.random(math.mininteger, math.maxinteger)))
    local ones, zeros = 0, 0
    for _ = 1, 200 do
      local any = neap.random(0)
      ones, zeros = ones | any, zeros | ~any
    end
    assert.are.same({ -1, -1 }, { ones, zeros })    -- each bit is drawn
  end)

  it("refuses an empty range", function()
    assert.are.equal("usage", raised(neap.random, -1).kind)
    assert.are.equal("usage", raised(neap.random, 2, 1).kind)
    assert.are.equal("usage", raised(neap.random, "x").kind)
    assert.are.equal("usage", raised(neap.random, 1.5).kind)
  end)
end)

describe("neap.uuid", function()
  it("is of version 7, and rises", function()
    local version_7 = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-[89ab]%x%x%x%-" .. ("%x"):rep(12) .. "$"
    local before, right = "", 0
    for i = 1, 5000 do
      local id = neap.uuid()
      if id:find(version_7) and id > before then right = right + 1 end
      before = id
      if i % 1000 == 0 then neap.sleep("1ms") end
    end
    assert.are.equal(5000, right)
  end)

  it("begins with the milliseconds of the clock", function()
    neap.sleep("1h")
    local ms = tonumber((neap.uuid():sub(1, 13):gsub("-", "")), 16)
    assert.are.equal(math.floor(neap.now() * 1000), ms)
  end)
end)

describe("neap.timeout", function()
  it("returns what its function returns", function()
    assert.are.same({ 1, nil, 3 }, { neap.timeout(1, function(...) return ... end, 1, nil, 3) })
  end)

  it("raises kind timeout at its boundary, when its time has passed", function()
    local err = raised(neap.timeout, "2s", forever)
    assert.are.equal("timeout", err.kind)
    assert.truthy(err.message:find("2s", 1, true))
    assert.are.equal(2, test.elapsed())
  end)

  it("shows code inside a cancellation whose reason is the deadline", function()
    local seen
    neap.timeout_or(1, function()
      local _, err = neap.raw.pcall(forever)
      seen = err
      error(err)
    end)
    assert.are.equal("cancelled", seen.kind)
    assert.are.equal("deadline", seen.reason.kind)
  end)

  it("lets an outer deadline pass through untouched", function()
    local between = false
    local err = raised(neap.timeout, 1, function()
      pcall(neap.timeout, 5, forever)
      between = true
    end)
    assert.are.equal("timeout", err.kind)
    assert.is_false(between)
    assert.are.equal(1, test.elapsed())
  end)

  it("of an inner boundary is an ordinary error to the outer one", function()
    local got = neap.timeout(5, function()
      local err = raised(neap.timeout, 1, forever)
      neap.sleep(1)
      return err
    end)
    assert.are.equal("timeout", got.kind)
    assert.are.equal(2, test.elapsed())
  end)

  it("passes errors of its function on", function()
    assert.are.equal("boom", raised(neap.timeout, 1, error, "boom", 0))
  end)

  it("with no time at all is over at the first checkpoint that waits", function()
    local err = raised(neap.timeout, 0, forever)
    assert.are.equal("timeout", err.kind)
    assert.are.equal("fine", neap.timeout(0, function() return "fine" end))
  end)

  it("of math.huge has no deadline", function()
    assert.are.equal(1, neap.timeout(math.huge, function()
      assert.is_nil(neap.remaining())
      neap.sleep(1)
      return 1
    end))
  end)

  it("gives timeout when the body has swallowed its deadline and returned", function()
    local err = raised(neap.timeout, 1, function()
      neap.raw.pcall(forever)
      return "swallowed"
    end)
    assert.are.equal("timeout", err.kind)
  end)

  it("gives the body's own error after the deadline, with the timeout in its others", function()
    local own = require("neap.core.error").new("mine", "own error")
    local err = raised(neap.timeout, 1, function()
      neap.raw.pcall(forever)
      error(own)
    end)
    assert.are.equal(own, err)
    assert.are.equal("timeout", err.others[1].kind)
    assert.are.equal("text", raised(neap.timeout, 1, function()
      neap.raw.pcall(forever)
      error("text", 0)
    end))
  end)

  it("refuses what is no duration, or no function", function()
    assert.are.equal("usage", raised(neap.timeout, "soon", forever).kind)
    assert.are.equal("usage", raised(neap.timeout, 1).kind)
    assert.are.equal("usage", raised(neap.timeout, 0 / 0, forever).kind)
    assert.matches('neap.sleep: a duration is seconds or a text as "1m30s", got no value$', raised(neap.sleep).message)
  end)

  it("holds for tasks spawned into scopes inside of it", function()
    local inner
    raised(neap.timeout, 1, function()
      neap.scope(function(s) inner = s:spawn(forever) end)
    end)
    assert.are.equal("cancelled", inner:status())
  end)

  it("is left with its values by a body that was woken before a cancellation from outside", function()
    for _, within in ipairs({ neap.timeout, neap.timeout_or, neap.shield }) do
      local got
      neap.scope(function(s)
        local wake = neap.deferred()
        local task = s:spawn(function() got = within(5, wake.await, wake) end)
        test.run_until_idle()
        wake:resolve("woken")
        task:cancel()
      end)
      assert.are.equal(within ~= neap.shield and "woken" or nil, got)
    end
  end)

  it("is left by a cancellation from outside as by any", function()
    local reached = false
    neap.scope(function(s)
      local task = s:spawn(function()
        neap.timeout(5, forever)
        reached = true
      end)
      neap.sleep(1)
      task:cancel()
      task:join()
      assert.are.equal("cancelled", task:status())
    end)
    assert.is_false(reached)
  end)

  it("is at an instant, which no loop of shorter ones inside puts off", function()
    local rounds = 0
    local _, why = neap.timeout_or(10, function()
      while true do
        assert.are.equal(10 - 3 * rounds, neap.remaining())
        neap.timeout_or(3, forever)
        rounds = rounds + 1
      end
    end)
    assert.are.equal("timeout", why)
    assert.are.equal(3, rounds)
    assert.are.equal(10, test.elapsed())
  end)

  it("may be nested a hundred deep; the shortest counts", function()
    local function nest(n)
      if n == 0 then return forever() end
      neap.timeout(n, nest, n - 1)
    end
    assert.are.equal("timeout", raised(nest, 100).kind)
    assert.are.equal(1, test.elapsed())
  end)
end)

describe("neap.timeout_or", function()
  it("returns nil and timeout", function()
    assert.are.same({ nil, "timeout" }, { neap.timeout_or(1, forever) })
    assert.are.equal(1, test.elapsed())
  end)

  it("returns what its function returns in time", function()
    assert.are.same({ 1, 2 }, { neap.timeout_or(1, function() return 1, 2 end) })
  end)

  it("raises the error of its function", function()
    assert.are.equal("boom", raised(neap.timeout_or, 1, error, "boom", 0))
  end)
end)

describe("at one instant", function()
  it("what is ready wins over the deadline", function()
    assert.are.equal("done", neap.timeout(1, function()
      neap.sleep(1)
      return "done"
    end))
    assert.are.equal("sent", neap.timeout(1, function()
      local ch = neap.channel()
      return neap.scope(function(s)
        s:spawn(function()
          neap.sleep(1)
          ch:send("sent")
        end)
        return (ch:recv())
      end)
    end))
  end)

  it("the deadline is looked at after the tasks so woken have run", function()
    local log = {}
    neap.timeout_or(1, function()
      neap.scope(function(s)
        s:spawn(function()
          neap.sleep(1)
          log[#log + 1] = "woken"
          neap.sleep(0)
          log[#log + 1] = "not any more"
        end)
      end)
    end)
    assert.are.same({ "woken" }, log)
  end)

  it("timers go off in the order in which they were queued #fifo", function()
    local log = {}
    neap.scope(function(s)
      for i = 1, 3 do
        s:spawn(function()
          neap.sleep(1)
          log[#log + 1] = i
        end)
      end
    end)
    assert.are.same({ 1, 2, 3 }, log)
  end)

  it("an earlier deadline comes before a later timer, also when the turn is late #fifo", function()
    local log = {}
    test.real_time(function()
      neap.scope(function(s)
        s:spawn(function()
          neap.timeout_or("5ms", forever)
          log[#log + 1] = "deadline"
        end)
        s:spawn(function()
          neap.sleep("10ms")
          log[#log + 1] = "timer"
        end)
        neap.yield()
        local until_then = neap.monotonic() + 0.03
        while neap.monotonic() < until_then do end
      end)
    end)
    assert.are.same({ "deadline", "timer" }, log)
  end)
end)

describe("where Lua cannot suspend, a checkpoint raises usage that names the function:", function()
  local function refused(name, fn)
    local effects = 0
    local err = raised(function()
      fn(function()
        neap.sleep(1)
        effects = effects + 1
      end)
    end)
    assert.are.equal("usage", err.kind)
    assert.truthy(err.message:find(name, 1, true))
    assert.truthy(err.message:find("time_spec.lua:%d+"))
    assert.are.equal(0, effects)
    assert.are.equal(0, test.elapsed())
  end

  it("a comparator of table.sort", function()
    refused("sort", function(wait) table.sort({ 1, 2, 3 }, function() wait() end) end)
  end)

  it("a callback of string.gsub", function()
    refused("gsub", function(wait) (("abc"):gsub(".", function() wait() end)):len() end)
  end)

  it("a __tostring", function()
    refused("tostring", function(wait)
      tostring(setmetatable({}, { __tostring = function() wait() return "" end }))
    end)
  end)

  it("a scope, since leaving it may wait", function()
    local began = false
    local err = raised(table.sort, { 2, 1 }, function()
      neap.scope(function(s)
        began = true
        s:spawn(neap.sleep, 1)
      end)
    end)
    assert.are.equal("usage", err.kind)
    assert.truthy(err.message:find("table.sort", 1, true))
    assert.is_false(began)
    neap.sleep(1)
    assert.are.equal(1, test.elapsed())
  end)

  it("the body of a module", function()
    refused("require", function(wait)
      package.preload["spec.waiting_module"] = function() wait() end
      local ok, err = pcall(require, "spec.waiting_module")
      package.preload["spec.waiting_module"] = nil
      if not ok then error(err, 0) end
    end)
  end)
end)

describe("a coroutine of the script", function()
  it("that is resumed where Lua cannot suspend cannot suspend its task, and can yield", function()
    local kinds, values = {}, {}
    table.sort({ 2, 1 }, function(a, b)
      local co = coroutine.create(function()
        coroutine.yield("value")
        neap.sleep(1)
      end)
      values[#values + 1] = select(2, coroutine.resume(co))
      kinds[#kinds + 1] = select(2, coroutine.resume(co)).kind
      return a < b
    end)
    assert.are.equal("value", values[1])
    assert.are.equal("usage", kinds[1])
    neap.sleep(1)
    assert.are.equal(1, test.elapsed())
  end)

  it("cannot suspend when neap.raw resumed it, and the task goes on", function()
    local co = neap.raw.coroutine.create(function() neap.sleep(1) end)
    local ok, err = neap.raw.coroutine.resume(co)
    assert.are.same({ false, "usage" }, { ok, err.kind })
    neap.sleep(1)
    assert.are.equal(1, test.elapsed())
  end)

  it("may suspend its task, in the middle of its own values", function()
    local co = coroutine.wrap(function(a)
      neap.sleep(1)
      local b = coroutine.yield(a + 1)
      neap.sleep(1)
      return b + 1
    end)
    assert.are.equal(2, co(1))
    assert.are.equal(11, co(10))
    assert.are.equal(2, test.elapsed())
  end)

  it("is normal while it waits, and cannot be resumed, closed or wrapped by another task", function()
    neap.scope(function(s)
      local co = coroutine.create(function()
        neap.sleep(1)
        return "value"
      end)
      local task = s:spawn(function() return select(2, coroutine.resume(co)) end)
      neap.yield()
      assert.are.equal("normal", coroutine.status(co))
      local ok, why = coroutine.resume(co)
      assert.is_false(ok)
      assert.are.equal("cannot resume non-suspended coroutine", why)
      assert.is_false((pcall(coroutine.close, co)))
      assert.are.equal("value", task:await())
      assert.are.equal("dead", coroutine.status(co))
    end)
  end)

  it("is normal to others if it is a task's own, which cannot be resumed or closed", function()
    local own, pooled = {}, nil
    local function refuses(co)
      assert.are.equal("normal", coroutine.status(co))
      assert.are.same({ false, "cannot resume non-suspended coroutine" }, { coroutine.resume(co) })
      assert.is_false((pcall(coroutine.close, co)))
    end
    neap.scope(function(s)
      local gate = neap.channel()
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = s:spawn(function()
          own[i] = coroutine.running()
          return gate:recv()
        end)
      end
      s:spawn(function()
        test.run_until_idle()
        for i = 1, 3 do refuses(own[i]) end
        for i = 1, 3 do gate:send(i) end
      end)
      assert.are.equal(1 + 2 + 3, tasks[1]:await() + tasks[2]:await() + tasks[3]:await())
      pooled = own[1]
    end)
    refuses(pooled)
  end)

  it("gets a cancellation of its task, and lets it pass", function()
    local log = {}
    local _, why = neap.timeout_or(1, function()
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function() log[#log + 1] = "closed" end })
        forever()
      end)
      coroutine.resume(co)
      log[#log + 1] = "resumed"
    end)
    assert.are.equal("timeout", why)
    assert.are.same({ "closed" }, log)
  end)

  it("may be resumed by several tasks, one after the other", function()
    local co = coroutine.wrap(function()
      for i = 1, 4 do
        neap.sleep(1)
        coroutine.yield(i)
      end
    end)
    local got = {}
    neap.scope(function(s)
      for _ = 1, 2 do
        s:spawn(function() got[#got + 1] = co() end):join()
        s:spawn(function() got[#got + 1] = co() end):join()
      end
    end)
    assert.are.same({ 1, 2, 3, 4 }, got)
    assert.are.equal(4, test.elapsed())
  end)

  it("may be nested", function()
    local function nest(n)
      if n == 0 then
        neap.sleep(1)
        return "deep"
      end
      return coroutine.wrap(nest)(n - 1)
    end
    assert.are.equal("deep", nest(20))
  end)
end)
