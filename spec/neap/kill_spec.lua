-- A task that ignores its cancellation a thousand times is killed: what its __close handlers
-- meet, and what is left to those that run after it. neap.raw.pcall ignores cancellations.

local neap = require("neap")
local test = require("neap.test")

local ignore = neap.raw.pcall

describe("a task that is killed", function()
  it("is still the running one in its __close handlers, which cannot wait", function()
    local seen = {}
    neap.scope(function(s)
      local task
      task = s:spawn({ name = "stubborn", guard = true }, function()
        local inner = neap.scope()
        local _ <close> = neap.defer(function()
          seen.cancel = inner:cancel("late")
          seen.spawned = s:spawn({ name = "child" }, function() seen.ran = true end)
          seen.tree = neap.tasks()
          seen.waits, seen.refused = pcall(neap.sleep, 1)
          seen.timeout = neap.timeout("1s", function() return "done" end)
        end)
        while true do ignore(neap.sleep, 1) end
      end)
      neap.yield()
      task:cancel()
      assert.are.equal("killed", select(2, task:outcome()).kind)
    end)
    assert.is_false(seen.cancel)
    assert.is_true(seen.ran)
    assert.are.equal("done", seen.timeout)
    assert.is_false(seen.waits)
    assert.are.equal("usage", seen.refused.kind)
    local found
    local function find(node)
      found = found or node.name == "stubborn"
      for _, child in ipairs(node.children) do find(child) end
    end
    find(seen.tree)
    assert.is_true(found)
  end)

  it("leaves a scope with a deadline that does not outlive it", function()
    local inner
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, function()
        inner = neap.scope()
        inner:spawn(function()
          local _ <close> = neap.defer(neap.shield, "1s", neap.sleep, "20ms")
          neap.sleep("1h")
        end)
        neap.yield()
        while true do ignore(neap.sleep, "1h") end
      end)
      neap.sleep("1ms")
      task:cancel()
      task:outcome()
      inner:extend("100ms")
      neap.sleep("50ms")
    end)
    neap.scope(function() neap.scope(function() neap.scope(function() neap.sleep("200ms") end) end) end)
    assert.is_near(0.251, test.elapsed(), 1e-6)
  end)

  it("leaves what fails in its scopes to the scope that joins them", function()
    local function left(options)
      return select(2, pcall(neap.scope, function(s)
        local task = s:spawn({ guard = true }, function()
          local inner <close> = neap.scope()
          inner:spawn(options, function()
            local _ <close> = neap.defer(error, "rollback failed", 0)
            neap.sleep("1h")
          end)
          neap.yield()
          while true do ignore(neap.sleep, 1) end
        end)
        neap.sleep("1ms")
        task:cancel()
        task:outcome()
      end))
    end
    assert.are.equal("rollback failed", left({}))
    assert.are.equal("rollback failed", left({ guard = true }))
  end)

  it("in a step leaves that one to be undone, as one whose outcome is unknown", function()
    local undone = {}
    local function undo(name)
      return function(_, _, outcome) undone[#undone + 1] = name .. " " .. outcome end
    end
    local ok, err = pcall(neap.saga, function()
      neap.step("reserve", { run = function() end, undo = undo("reserve") })
      neap.scope(function(s)
        s:spawn(function()
          neap.step("call", { run = function() while true do ignore(neap.sleep, 1) end end, undo = undo("call") })
        end)
        neap.sleep("1ms")
        error("no stock", 0)
      end)
    end)
    assert.are.same({ false, "no stock" }, { ok, err })
    assert.are.same({ "call unknown", "reserve done" }, undone)
  end)

  it("runs no undo of a saga that it runs itself", function()
    local undone = false
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, neap.saga, function()
        neap.step("reserve", { run = function() end, undo = function() undone = true end })
        while true do ignore(neap.sleep, 1) end
      end)
      neap.sleep("1ms")
      task:cancel()
      assert.are.equal("killed", select(2, task:outcome()).kind)
    end)
    assert.is_false(undone)
  end)

  it("may run long in its __close handlers, and leaves a coroutine that is interrupted as any", function()
    test.real_time(function()
      local kinds = {}
      neap.scope(function(s)
        for i = 1, 10 do
          local task = s:spawn({ guard = true }, function()
            for _ = 1, 998 do ignore(neap.sleep, 1) end
            local _ <close> = neap.defer(function()
              local from = neap.monotonic()
              while neap.monotonic() < from + 0.02 do end
            end)
            while true do ignore(function() while true do end end) end
          end)
          neap.yield()
          task:cancel()
          kinds[i] = select(2, task:outcome()).kind
        end
      end)
      assert.are.equal(("killed "):rep(10), table.concat(kinds, " ") .. " ")
      neap.scope(function(s)
        local tasks = {}
        for i = 1, 10 do
          tasks[i] = s:spawn({ guard = true }, neap.timeout, "10ms", function() while true do end end)
        end
        for i = 1, 10 do assert.are.equal("timeout", select(2, tasks[i]:outcome()).kind) end
      end)
    end)
  end)
end)
