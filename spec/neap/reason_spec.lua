-- A reason may be any value of a script's, and code of its own: it is asked first, before
-- anything is cancelled.

local neap = require("neap")

describe("a reason whose own code", function()
  local function asking(fn) return setmetatable({}, { __index = fn }) end

  it("cancels the same scope comes too late: the first cancellation holds, as one object", function()
    neap.raw.pcall(neap.scope, function(s)
      local inner, first
      local reason = asking(function()
        inner = s:cancel("inner")
        first = select(2, neap.raw.pcall(neap.check))
        return "outer"
      end)
      assert.is_false(s:cancel(reason))
      assert.is_true(inner)
      local _, err = neap.raw.pcall(neap.check)
      assert.are.equal("inner", err.reason.message)
      assert.is_true(rawequal(first, err))
      assert.is_true(neap.is_cancelled(first))
    end)
  end)

  it("cancels the same task comes too late, too", function()
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, neap.sleep, 1)
      neap.yield()
      local inner
      assert.is_false(task:cancel(asking(function()
        inner = task:cancel("inner")
        return "outer"
      end)))
      assert.is_true(inner)
      local _, err = task:outcome()
      assert.are.equal("inner", err.reason.message)
    end)
  end)

  it("raises leaves the task uncancelled, to be cancelled later", function()
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, neap.sleep, 1)
      neap.yield()
      assert.has_error(function() task:cancel(asking(function() error("lost", 0) end)) end, "lost")
      assert.are.equal("waiting", task:status())
      assert.is_true(task:cancel("later"))
      local _, err = task:outcome()
      assert.are.equal("later", err.reason.message)
    end)
  end)

  it("ends the task meanwhile cancels nothing", function()
    neap.scope(function(s)
      local task = s:spawn({ lazy = true }, neap.sleep, 1)
      assert.is_false(task:cancel(asking(function() task:cancel() end)))
      assert.are.equal("cancelled", task:status())
    end)
  end)
end)
