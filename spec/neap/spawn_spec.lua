local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised = support.raised

describe("s:spawn", function()
  it("passes arguments and gives back what the task returns", function()
    neap.scope(function(s)
      local task = s:spawn(function(...) return select("#", ...), ... end, 1, nil, nil)
      assert.are.same({ 3, 1, nil, nil }, { task:await() })
      assert.are.same({}, { s:spawn(function() end):await() })
      assert.are.equal(nil, (s:spawn(function() return nil end):await()))
    end)
  end)

  it("names the task", function()
    neap.scope(function(s)
      local task = s:spawn({ name = "pay" }, function() end)
      assert.are.equal("pay", task.name)
      assert.are.equal("integer", math.type(task.id))
      assert.are.equal("pay", tostring(task))
      assert.truthy(s:spawn(function() end).name:find("^task %d+$"))
    end)
  end)

  it("runs the tasks in the order in which they were spawned, the body first #fifo", function()
    local order = {}
    neap.scope(function(s)
      for i = 1, 3 do s:spawn(function() order[#order + 1] = i end) end
      order[#order + 1] = 0
    end)
    assert.are.same({ 0, 1, 2, 3 }, order)
  end)

  it("works from any task that holds the scope, while it waits to be left", function()
    local late
    neap.scope(function(s)
      neap.app:spawn(function()
        neap.sleep(1)
        late = s:spawn(function() return "late" end)
      end)
      s:spawn(neap.sleep, 2)
    end)
    assert.are.equal("done", late:status())
  end)

  it("raises once the scope has been left", function()
    local kept
    neap.scope(function(s) kept = s end)
    local line = debug.getinfo(1, "l").currentline + 1
    local err = raised(function() kept:spawn(function() end) end)
    assert.are.equal("usage", err.kind)
    assert.truthy(err.message:find("^[^\n]*spawn_spec.lua:" .. line .. ":"))
  end)

  it("gives a task that never runs when the scope is cancelled", function()
    local ran = false
    neap.scope(function(s)
      s:cancel()
      local task = s:spawn(function() ran = true end)
      assert.are.equal("cancelled", task:status())
    end)
    assert.is_false(ran)
  end)

  it("gives a task that never runs when it is cancelled before its first turn", function()
    local ran = false
    neap.scope(function(s)
      local task = s:spawn(function() ran = true end)
      assert.is_true(task:cancel())
      task:join()
      assert.are.equal("cancelled", task:status())
    end)
    assert.is_false(ran)
  end)

  it("refuses unknown options and what is no function", function()
    neap.scope(function(s)
      assert.truthy(raised(s.spawn, s, { nam = "x" }, function() end).message:find("name", 1, true))
      assert.are.equal("usage", raised(s.spawn, s, 42).kind)
      assert.are.equal("usage", raised(s.spawn, s).kind)
      assert.are.equal("usage", raised(s.spawn, 42, function() end).kind)
    end)
  end)

  it("takes a table with __call for a body, not for options", function()
    neap.scope(function(s)
      local body = setmetatable({}, { __call = function(_, x) return x + 1 end })
      assert.are.equal(3, s:spawn(body, 2):await())
    end)
  end)

  it("stands ten thousand tasks at once #fifo", function()
    local sum = 0
    neap.scope(function(s)
      for i = 1, 10000 do
        s:spawn(function()
          neap.sleep("1s")
          sum = sum + i
        end)
      end
    end)
    assert.are.equal(50005000, sum)
    assert.are.equal(1, test.elapsed())
  end)
end)

describe("a lazy task", function()
  it("starts by start, await, outcome or join", function()
    neap.scope(function(s)
      for _, how in ipairs({ "start", "await", "outcome", "join" }) do
        local ran = false
        local task = s:spawn({ lazy = true }, function() ran = true end)
        neap.sleep(1)
        assert.is_false(ran)
        task[how](task)
        task:join()
        assert.is_true(ran)
      end
    end)
  end)

  it("that was not started when its scope is left is cancelled without running", function()
    local ran, task = false, nil
    neap.scope(function(s)
      task = s:spawn({ lazy = true }, function() ran = true end)
    end)
    assert.is_false(ran)
    assert.are.equal("cancelled", task:status())
  end)

  it("returns itself from start, which is harmless twice", function()
    neap.scope(function(s)
      local runs = 0
      local task = s:spawn({ lazy = true }, function() runs = runs + 1 end)
      assert.are.equal(task, task:start())
      task:start():join()
      task:start()
      assert.are.equal(1, runs)
    end)
  end)
end)
