local neap = require("neap")
local test = require("neap.test")

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "it should have raised")
  return err
end

local function at_exit(fn)
  return setmetatable({}, { __close = fn })
end

local function forever() neap.channel():recv() end

-- Run `body` in a task that is cancelled after a second; returns the task and what else
-- `body` was given to write into.
local function cancelled_task(body)
  local log = {}
  local task
  neap.scope(function(s)
    task = s:spawn({ name = "victim" }, body, log)
    neap.sleep(1)
    task:cancel("enough")
    task:join()
  end)
  return task, log
end

describe("a checkpoint in a cancelled scope", function()
  local checkpoints = {
    sleep = function() neap.sleep(1) end,
    ["sleep of no length"] = function() neap.sleep(0) end,
    yield = function() neap.yield() end,
    check = function() neap.check() end,
    ["channel send that need not wait"] = function() neap.channel(1):send(1) end,
    ["channel recv"] = function() neap.channel():recv() end,
    ["await of a task that has ended"] = function(s) s.ended:await() end,
    ["outcome of a task that has ended"] = function(s) s.ended:outcome() end,
    ["join of a task that has ended"] = function(s) s.ended:join() end,
    ["join of an empty scope"] = function(s) s.empty:join() end,
    ["a semaphore that is free"] = function() neap.semaphore(1):acquire() end,
    ["a mutex that is free"] = function() neap.mutex():lock() end,
    ["an event that is set"] = function(s) s.event:wait() end,
    ["a deferred that is resolved"] = function(s) s.deferred:await() end,
  }

  for name, checkpoint in pairs(checkpoints) do
    it("raises whether or not it would have to wait: " .. name, function()
      local things = { event = neap.event(), deferred = neap.deferred() }
      things.event:set()
      things.deferred:resolve(1)
      neap.scope(function(s)
        things.ended = s:spawn(function() return 1 end)
        things.ended:join()
      end)
      local err
      local _, why = neap.scope(function(s)
        things.empty = neap.scope()
        s:cancel()
        local _
        _, err = neap.raw.pcall(checkpoint, things)
        things.empty:close()
        neap.check()
      end)
      assert.are.equal("cancelled", why)
      assert.are.equal("cancelled", err.kind)
    end)
  end

  it("has no effect before it raises", function()
    local ch = neap.channel(1)
    neap.scope(function(s)
      s:cancel()
      ch:send("lost")
    end)
    assert.are.equal(0, ch:len())
  end)

  it("raises again and again until the scope has been left: it is level-triggered", function()
    local raises = 0
    neap.scope(function(s)
      s:cancel()
      for _ = 1, 5 do
        local ok, err = neap.raw.pcall(neap.sleep, 1)
        if not ok and err.kind == "cancelled" then raises = raises + 1 end
      end
    end)
    assert.are.equal(5, raises)
    neap.sleep(1)
    assert.are.equal(1, test.elapsed())
  end)

  it("raises one object for one cancellation", function()
    neap.scope(function(s)
      s:cancel()
      local _, first = neap.raw.pcall(neap.sleep, 1)
      local _, second = neap.raw.pcall(neap.yield)
      assert.are.equal(first, second)
    end)
  end)
end)

describe("what is no checkpoint", function()
  it("works in a cancelled scope: spawn, opening and leaving, try, shield, try_ functions", function()
    local ch = neap.channel(1)
    local value = neap.scope(function(s)
      s:cancel()
      s:spawn(function() end)
      neap.scope(function() end)
      do
        local _ <close> = neap.scope()
      end
      neap.timeout(1, function() end)
      assert.is_true((neap.try(function() end)))
      assert.is_true(ch:try_send(1))
      assert.are.equal(1, ch:try_recv())
      return "reached"
    end)
    assert.are.equal("reached", value)
  end)

  it("lets nobody else run", function()
    local ran = false
    neap.scope(function(s)
      s:spawn(function() ran = true end)
      for _ = 1, 1000 do
        neap.check()
        neap.try(function() end)
      end
      assert.is_false(ran)
    end)
  end)
end)

describe("fairness", function()
  it("lets others run at every 256th checkpoint, by count", function()
    local others = 0
    neap.scope(function(s)
      s:spawn(function()
        for _ = 1, 10 do
          others = others + 1
          neap.yield()
        end
      end)
      local ch = neap.channel(1000)
      local seen
      for i = 1, 600 do
        ch:send(i)
        if others > 0 and not seen then seen = i end
      end
      assert.are.equal(256, seen)
      assert.are.equal(2, others)
    end)
  end)

  it("lets all others run at neap.yield, in any order of the tasks", function()
    test.schedules(20, function()
      local ran = 0
      neap.scope(function(s)
        for _ = 1, 5 do s:spawn(function() ran = ran + 1 end) end
        neap.yield()
        assert.are.equal(5, ran)
      end)
    end)
  end)
end)

describe("a cancellation", function()
  it("says why, by whom and when", function()
    local err
    neap.scope(function(s)
      local task = s:spawn(function()
        local _
        _, err = neap.raw.pcall(forever)
      end)
      s:spawn({ name = "boss" }, function()
        neap.sleep(3)
        task:cancel("no need")
      end)
    end)
    assert.are.equal("cancelled", err.kind)
    assert.are.equal("cancelled", err.reason.kind)
    assert.are.equal("boss", err.reason.by)
    assert.are.equal(946684803, err.reason.at)
    assert.truthy(err.reason.message:find("no need", 1, true))
    assert.truthy(tostring(err):find("no need", 1, true))
    assert.is_nil(tostring(err):find("\n"))
  end)

  it("has kind failed for the siblings of a task that failed, and names that task", function()
    local err
    pcall(neap.scope, function(s)
      s:spawn(function()
        local _
        _, err = neap.raw.pcall(forever)
      end)
      s:spawn({ name = "culprit" }, function()
        neap.sleep(1)
        error("boom", 0)
      end)
    end)
    assert.are.equal("failed", err.reason.kind)
    assert.are.equal("culprit", err.reason.by)
  end)

  it("has kind deadline for a deadline", function()
    local err
    neap.timeout_or(1, function()
      local _
      _, err = neap.raw.pcall(forever)
    end)
    assert.are.equal("deadline", err.reason.kind)
  end)

  it("keeps its first reason", function()
    local err
    neap.timeout_or(1, function()
      neap.scope(function(s)
        s:spawn(function()
          neap.raw.pcall(forever)
          neap.shield(5, neap.sleep, 2)
        end)
        local _
        _, err = neap.raw.pcall(forever)
        s:cancel("later")
        _, err = neap.raw.pcall(forever)
      end)
    end)
    assert.are.equal("deadline", err.reason.kind)
  end)

  it("is told apart by neap.is_cancelled: that of the running task, and only that", function()
    local own, other
    neap.scope(function(s)
      local victim = s:spawn(function()
        local _
        _, own = neap.raw.pcall(forever)
        assert.is_true(neap.is_cancelled(own))
      end)
      neap.sleep(1)
      victim:cancel()
      victim:join()
      other = raised(function()
        local t = s:spawn(forever)
        t:cancel()
        t:await()
      end)
    end)
    assert.is_false(neap.is_cancelled(own))
    assert.is_false(neap.is_cancelled(other))
    for _, value in ipairs({ 1, "cancelled", {}, false }) do
      assert.is_false(neap.is_cancelled(value))
    end
    assert.is_false(neap.is_cancelled(nil))
  end)

  it("is seen by neap.cancelled, without raising", function()
    assert.is_nil(neap.cancelled())
    neap.scope(function(s)
      s:cancel("enough")
      assert.are.equal("cancelled", neap.cancelled().kind)
      neap.shield(1, function() assert.is_nil(neap.cancelled()) end)
    end)
    assert.is_nil(neap.cancelled())
  end)
end)

describe("protected calls", function()
  it("let a cancellation of the running task pass: pcall", function()
    local task, log = cancelled_task(function(log)
      pcall(forever)
      log[1] = "went on"
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({}, log)
  end)

  it("let it pass: xpcall, whose handler is not called", function()
    local task, log = cancelled_task(function(log)
      xpcall(forever, function() log[1] = "handled" end)
      log[2] = "went on"
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({}, log)
  end)

  it("let it pass: nested, and through coroutines", function()
    local task, log = cancelled_task(function(log)
      pcall(function()
        coroutine.wrap(function()
          pcall(function()
            local co = coroutine.create(forever)
            coroutine.resume(co)
            log[#log + 1] = "resumed"
          end)
          log[#log + 1] = "inner"
        end)()
      end)
      log[#log + 1] = "outer"
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({}, log)
  end)

  it("let __close handlers run first, innermost first", function()
    local _, log = cancelled_task(function(log)
      local _ <close> = at_exit(function() log[#log + 1] = "outer" end)
      pcall(function()
        local _ <close> = at_exit(function(_, err) log[#log + 1] = err.kind end)
        forever()
      end)
    end)
    assert.are.same({ "cancelled", "outer" }, log)
  end)

  it("catch everything else, as ever", function()
    assert.are.same({ false, "boom" }, { pcall(error, "boom", 0) })
    assert.are.same({ true, 1, nil, 3 }, { pcall(function(...) return ... end, 1, nil, 3) })
    assert.are.same({ false, "handled boom" },
      { xpcall(error, function(m) return "handled " .. m end, "boom", 0) })
    assert.are.same({ true, 1, 2 }, { xpcall(function(...) return ... end, print, 1, 2) })
    local err = setmetatable({}, {})
    assert.are.equal(err, select(2, pcall(error, err)))
  end)

  it("may suspend, and catch afterwards", function()
    local ok, err = pcall(function()
      neap.sleep(1)
      error("late", 0)
    end)
    assert.is_false(ok)
    assert.are.equal("late", err)
    ok, err = xpcall(function()
      neap.sleep(1)
      error("late", 0)
    end, function(m) return m .. "!" end)
    assert.is_false(ok)
    assert.are.equal("late!", err)
  end)

  it("of Lua itself are in neap.raw, and catch it", function()
    local task, log = cancelled_task(function(log)
      local ok, err = neap.raw.pcall(forever)
      log[1] = { ok, err.kind }
    end)
    assert.are.equal("done", task:status())
    assert.are.same({ { false, "cancelled" } }, log)
  end)
end)

describe("a task that ignores its cancellation", function()
  it("is killed at the thousandth checkpoint, and its scope fails with kind killed", function()
    local raises = 0
    local err = raised(neap.scope, function(s)
      s:spawn({ name = "deaf" }, function()
        while true do
          local ok = neap.raw.pcall(neap.sleep, 1)
          if not ok then raises = raises + 1 end
        end
      end)
      neap.sleep(0.5)
      s:cancel()
    end)
    assert.are.equal("killed", err.kind)
    assert.are.equal(999, raises)
    assert.truthy(err.message:find("deaf", 1, true))
    assert.truthy(err.message:find("cancel_spec.lua:%d+"))
  end)

  it("has its inner scopes cancelled and joined by the scope that fails", function()
    local inner, cleaned
    local err = raised(neap.scope, function(s)
      s:spawn(function()
        neap.scope(function(own)
          inner = own:spawn(function()
            local _ <close> = at_exit(function()
              neap.shield(5, function()
                neap.sleep(2)
                cleaned = true
              end)
            end)
            forever()
          end)
          while true do neap.raw.pcall(neap.sleep, 1) end
        end)
      end)
      neap.sleep(0.5)
      s:cancel()
    end)
    assert.are.equal("killed", err.kind)
    assert.are.equal("cancelled", inner:status())
    assert.is_true(cleaned)
    assert.are.equal(2.5, test.elapsed())
  end)

  it("has the guards taken back that it held", function()
    local mutex, semaphore = neap.mutex(), neap.semaphore(1)
    local err = raised(neap.scope, function(s)
      s:spawn(function()
        local _ = semaphore:acquire()
        local _ = mutex:lock()
        while true do neap.raw.pcall(neap.sleep, 1) end
      end)
      neap.sleep(0.5)
      s:cancel()
    end)
    assert.are.equal("killed", err.kind)
    mutex:try_lock():release()
    semaphore:try_acquire():release()
  end)

  it("begins to count anew with the next cancellation", function()
    neap.scope(function(s)
      local task = s:spawn(function()
        for _ = 1, 3 do
          neap.timeout_or(1, function()
            for _ = 1, 900 do neap.raw.pcall(neap.sleep, 5) end
          end)
        end
        return "alive"
      end)
      assert.are.equal("alive", task:await())
    end)
  end)
end)

describe("neap.shield", function()
  it("lets cleanup suspend in a cancelled task", function()
    local task, log = cancelled_task(function(log)
      local _ <close> = at_exit(function()
        neap.shield("5s", function()
          neap.sleep(2)
          log[1] = "cleaned"
        end)
      end)
      forever()
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({ "cleaned" }, log)
    assert.are.equal(3, test.elapsed())
  end)

  it("returns what its function returns", function()
    assert.are.same({ 1, nil, 3 }, { neap.shield(1, function(...) return ... end, 1, nil, 3) })
  end)

  it("demands a deadline", function()
    for _, wrong in ipairs({ math.huge, "soon", {} }) do
      assert.are.equal("usage", raised(neap.shield, wrong, function() end).kind)
    end
    assert.are.equal("usage", raised(neap.shield, nil, function() end).kind)
    assert.are.equal("usage", raised(neap.shield, function() end).kind)
  end)

  it("raises at its end the cancellation that came meanwhile", function()
    local task, log = cancelled_task(function(log)
      neap.shield(5, function()
        neap.sleep(3)
        log[1] = "done"
      end)
      log[2] = "went on"
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({ "done" }, log)
    assert.are.equal(3, test.elapsed())
  end)

  it("raises timeout when its own deadline ends it, and nobody is cancelled", function()
    local err = raised(neap.shield, 1, forever)
    assert.are.equal("timeout", err.kind)
    assert.are.equal(1, test.elapsed())
  end)

  it("raises the outer cancellation, if there is one, when its own deadline ends it", function()
    local task, log = cancelled_task(function(log)
      local ok, err = neap.raw.pcall(neap.shield, 3, forever)
      log[1] = { ok, err.kind, err.reason.kind }
    end)
    assert.are.same({ { false, "cancelled", "cancelled" } }, log)
    assert.are.equal("done", task:status())
    assert.are.equal(3, test.elapsed())
  end)

  it("passes an error of its function on", function()
    assert.are.equal("boom", raised(neap.shield, 1, error, "boom", 0))
  end)

  it("holds against deadlines outside, which pass afterwards", function()
    local log = {}
    local _, why = neap.timeout_or(1, function()
      neap.shield(5, function()
        neap.sleep(2)
        log[1] = "done"
      end)
      log[2] = "went on"
    end)
    assert.are.equal("timeout", why)
    assert.are.same({ "done" }, log)
    assert.are.equal(2, test.elapsed())
  end)

  it("holds for a scope inside of it, and its tasks", function()
    local _, log = cancelled_task(function(log)
      neap.shield(9, function()
        neap.scope(function(s)
          s:spawn(function()
            neap.sleep(3)
            log[1] = "inner"
          end)
        end)
      end)
    end)
    assert.are.same({ "inner" }, log)
  end)

  it("can itself be inside another, and the tighter deadline holds", function()
    local err = raised(neap.shield, 1, function() neap.shield(5, neap.sleep, 3) end)
    assert.are.equal("timeout", err.kind)
    assert.are.equal(3, test.elapsed())
  end)
end)

describe("a hand-off", function()
  it("is the task's, even if a cancellation arrives before it runs", function()
    local ch = neap.channel()
    local got
    neap.scope(function(s)
      local receiver = s:spawn(function()
        got = ch:recv()
        neap.check()
        got = "went on"
      end)
      neap.yield()
      ch:send("value")
      receiver:cancel()
    end)
    assert.are.equal("value", got)
  end)

  it("of a permit is the task's, too, which gives it back as it ends", function()
    local gate = neap.semaphore(1)
    local held
    neap.scope(function(s)
      local first = gate:acquire()
      local waiter = s:spawn(function()
        local _ <close> = gate:acquire()
        held = true
        neap.sleep(1)
        held = "slept"
      end)
      neap.yield()
      first:release()
      waiter:cancel()
      waiter:join()
    end)
    assert.is_true(held)
    gate:try_acquire():release()
  end)

  it("does not happen to a waiter that was cancelled before", function()
    local ch = neap.channel()
    local lost
    neap.scope(function(s)
      local receiver = s:spawn(function() lost = ch:recv() end)
      neap.yield()
      receiver:cancel()
      s:spawn(function() ch:send("value") end)
      assert.are.equal("value", ch:recv())
    end)
    assert.is_nil(lost)
  end)
end)

describe("cancelling", function()
  it("while a close handler runs does not cut off what is in no checkpoint", function()
    local _, log = cancelled_task(function(log)
      local _ <close> = at_exit(function()
        for i = 1, 3 do log[i] = i end
      end)
      forever()
    end)
    assert.are.same({ 1, 2, 3 }, log)
  end)

  it("reaches ten thousand tasks, in the order in which they were spawned #fifo", function()
    local order = {}
    neap.scope(function(s)
      for i = 1, 10000 do
        s:spawn(function()
          local _ <close> = at_exit(function() order[#order + 1] = i end)
          forever()
        end)
      end
      neap.sleep(1)
      s:cancel()
    end)
    assert.are.equal(10000, #order)
    for i = 1, 10000 do assert(order[i] == i) end
  end)

  it("leaves nothing behind under any order of the tasks", function()
    test.schedules(50, function()
      local mutex, ch = neap.mutex(), neap.channel(1)
      local running = 0
      neap.scope(function(s)
        for i = 1, 6 do
          s:spawn(function()
            local _ <close> = at_exit(function() running = running - 1 end)
            running = running + 1
            while true do
              local _ <close> = mutex:lock()
              ch:send(i)
              neap.yield()
              ch:recv()
            end
          end)
        end
        for _ = 1, neap.random(30) do neap.yield() end
        s:cancel()
      end)
      assert.are.equal(0, running)
      mutex:try_lock():release()
    end)
  end)
end)
