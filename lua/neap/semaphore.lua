--- Limit how many tasks do something at once.
--- A semaphore guards a scarce thing: connections, a slow service, memory.
--- It is fair: tasks enter in the order in which they asked, and one that asks
--- for many slots is not overtaken by later ones that ask for few.

local sem = require("neap.core.sem")

-- Lua adds methods to the type that C made. It does not wrap it: acquire() stays
-- one call.
---@class neap.Semaphore: neap.core.Sem
local Semaphore = sem.methods

--- Run `fn(...)` holding a slot and return what it returns.
--- Waits while every slot is taken. The slot goes back when `fn` returns,
--- raises, or is cancelled.
---@async
---@generic R
---@param fn async fun(...): R
---@param ... any  Passed to `fn`.
---@return R
function Semaphore:run(fn, ...)
  local _ <close> = self:acquire()
  return fn(...)
end

local semaphore = {}

--- Create a semaphore.
---@param slots integer  At least 1.
---@return neap.Semaphore
---@nodiscard
function semaphore.new(slots)
  return sem.new(slots)
end

return semaphore
