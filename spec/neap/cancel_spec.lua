local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised, at_exit = support.raised, support.at_exit
local forever, cancelled_task = support.forever, support.cancelled_task

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

  it("takes the text of an object: its message, or else what its __tostring says", function()
    local mute = setmetatable({ message = 1 }, { __tostring = function() return "in words" end })
    local texts = {}
    neap.scope(function(s)
      for i, reason in ipairs { neap.error("mine", "of an error"), { message = "a field" }, mute, { message = 1 } } do
        local task = s:spawn(neap.sleep, "1s")
        neap.yield()
        task:cancel(reason)
        local _, err = task:outcome()
        texts[i] = err.reason.message
      end
    end)
    assert.are.same({ "of an error", "a field", "in words", "cancelled" }, texts)
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

describe("a task that ignores its cancellation", function()
  it("is killed after a thousand raises, and its scope fails with kind killed", function()
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
    assert.are.equal(1000, raises)
    assert.truthy(err.message:find("deaf", 1, true))
    assert.truthy(err.message:find("cancel_spec.lua:%d+"))
  end)

  it("is killed also when each checkpoint is in a scope of its own", function()
    for _, enter in ipairs({ neap.scope, function(fn) return neap.timeout(9, fn) end }) do
      local err = raised(neap.scope, function(s)
        s:spawn(function()
          while true do neap.raw.pcall(enter, function() neap.sleep(1) end) end
        end)
        neap.sleep(0.5)
        s:cancel()
      end)
      assert.are.equal("killed", err.kind)
    end
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
