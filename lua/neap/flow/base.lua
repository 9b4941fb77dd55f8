--- What all operators of a flow are made of.
---@package

local errors = require("neap.core.error")
local scopes = require("neap.core.scope")
local time = require("neap.core.time")

-- Called for each value, with all values that belong to it; returns when it was handled.
---@alias neap.flow.Emit async fun(...: any)

---@class neap.Flow
---@field package run async fun(emit: neap.flow.Emit)  Runs it once.
local Flow = {}
Flow.__index = Flow
Flow.__name = "neap.flow"

local base = {
  Flow = Flow,
}

---@param run async fun(emit: neap.flow.Emit)
---@return neap.Flow
function base.new(run)
  return setmetatable({ run = run }, Flow)
end

--- Stop what runs in scope `s`, from inside of it: a cancellation, which nothing above
--- can catch. Where a shield or a pivot above keeps it off this returns, and what is emitted
--- afterwards has to be dropped.
---@param s neap.Scope
function base.stop(s)
  s:cancel("no further value is wanted")
  time.check()
end

--- Run what is above, and tell its own error from one that comes from below: that one
--- passes, whatever the code above does with it. Above it is raised by `emit`; code that
--- catches it and emits once more is stopped.
---@async
---@param run async fun(emit: neap.flow.Emit)
---@param emit neap.flow.Emit
---@return boolean ok
---@return any err  Of what is above.
function base.try_above(run, emit)
  local below, ok, err
  local function note(is_handled, ...)
    if is_handled then return end
    below = table.pack(...)
    error(below[1], 0)
  end
  scopes.open(function(s)
    ok, err = xpcall(run, errors.handler, function(...)
      if below then return base.stop(s) end
      note(xpcall(emit, errors.handler, ...))
    end)
  end)
  if below then error(below[1], 0) end
  return ok, err
end

return base
