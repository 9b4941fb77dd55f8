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
    ["a rwlock that is free, to read"] = function() neap.rwlock():read() end,
    ["a rwlock that is free, to write"] = function() neap.rwlock():write() end,
    ["a latch that is open"] = function() neap.latch(0):wait() end,
    ["a barrier of one"] = function() neap.barrier(1):wait() end,
    ["a state that differs"] = function() neap.state(1):changed(0) end,
    ["a broadcast to nobody"] = function() neap.broadcast():publish(1) end,
    ["a select with an arm that is ready"] = function(s) neap.select { s.event:on_wait() } end,
    ["a body under a mutex"] = function() neap.mutex():run(function() end) end,
    ["a suspend that is resumed at once"] = function() neap.suspend(function(resume) resume(true) end) end,
    ["all of nothing"] = function() neap.all {} end,
    ["a map of nothing"] = function() neap.map({}, print) end,
    ["a flow of nothing"] = function() neap.flow.from({}):to_list() end,
    ["a tell to an actor with room"] = function(s) s.actor:tell("rest") end,
    ["a step"] = function() neap.step("none", function() end) end,
    ["a file"] = function() neap.fs.exists("/") end,
    ["work on another thread"] = function() neap.work(function() end) end,
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
        things.actor = things.empty:actor { rest = function() end }
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
  -- All that is none: spawn, opening and leaving, with, try, saga, try_ functions, json.lines, a select with default.
  local function pass(s, ch)
    s:spawn(function() end)
    neap.scope(function() end)
    do
      local _ <close> = neap.scope()
    end
    neap.scope():close()
    neap.supervisor(function() end)
    neap.timeout(1, function() end)
    neap.timeout_or(1, function() end)
    neap.saga(function() end)
    assert.are.equal("bound", neap.with({ name = "bound" }, function() return neap.context.name end))
    assert.is_true((neap.try(function() end)))
    assert.is_true(ch:try_send(1))
    assert.are.equal(1, ch:try_recv())
    neap.mutex():try_lock():release()
    assert.are.equal(1, (neap.json.lines("1\n2\n")()))
    neap.select { ch:on_recv(), default = function() end }
  end

  it("works in a cancelled scope: spawn, opening and leaving, with, try, saga, try_ functions", function()
    local value = neap.scope(function(s)
      s:cancel()
      pass(s, neap.channel(1))
      return "reached"
    end)
    assert.are.equal("reached", value)
  end)

  it("lets nobody else run, however often it is passed", function()
    local ran = false
    neap.scope(function(s)
      local ch = neap.channel(1)
      s:spawn(function() ran = true end)
      for _ = 1, 300 do
        pass(s, ch)
        neap.shield(1, function() end)
        neap.check()
        neap.cancelled()
      end
      assert.is_false(ran)
      s:cancel()
    end)
  end)

  it("runs the body of a shield in a cancelled scope, which is raised at its end", function()
    local shielded, after = false, false
    neap.scope(function(s)
      s:cancel()
      neap.shield(1, function() shielded = true end)
      after = true
    end)
    assert.is_true(shielded)
    assert.is_false(after)
  end)
end)
