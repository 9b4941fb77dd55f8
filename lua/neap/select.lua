--- Wait for the first of several things.

local core = require("neap.core.select")

local select = {}

-- Here and not inside the select: a handler may wait, raise, or select again.
local function run(handler, index, ...)
  if handler then return handler(...) end
  return index, ...
end

--- Wait until one of the arms can happen, let that one happen and no other, and
--- return what its handler returns; without a handler its index and its values.
--- The first ready arm in listing order wins; with `fair = true` the search begins
--- after the arm that won at this place the last time. With `default`, a function,
--- it does not wait and is no checkpoint: if no arm is ready the default is called.
--- Raises what an arm raises: the cause that a channel was closed with, "closed" for
--- a send to a closed one; "usage" without arms, and for the same unbuffered channel
--- as a sending and a receiving arm.
---@async
---@param arms neap.select.Arms
---@return any ...
function select.select(arms)
  return run(core.select(arms))
end

--- Make an arm that happens so long after its select has begun.
---@param duration neap.Duration
---@param handler? async fun(): ...
---@return neap.Arm
---@nodiscard
function select.after(duration, handler)
  return core.after(duration, handler)
end

return select
