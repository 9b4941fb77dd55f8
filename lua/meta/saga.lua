---@meta neap.core.saga

local saga = {}

--- A number higher than those of all scopes that are open.
---@return integer
function saga.number() end

--- The id of the running task, the number of the scope that it was spawned into, the id of
--- the task that opened that, and so on up to the root task.
---@return integer[]
function saga.lineage() end

--- From here on no cancellation from outside reaches into the scope.
---@param s neap.core.Scope
function saga.harden(s) end

return saga
