-- Which calls raise a cancellation, and when: the checkpoints. That nothing is lost wherever one of them
-- cuts a task off stands in checkpoint_spec.lua.

local neap = require("neap")
local test = require("neap.test")

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
