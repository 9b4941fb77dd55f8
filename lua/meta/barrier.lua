---@meta neap.core.barrier

---@class neap.core.Barrier
local Barrier = {}

--- Wait until all are there; the next round begins at once. A task that is
--- cancelled while it waits is missing in its round.
---@async
---@return boolean last  True for the one that came last: one in each round.
function Barrier:wait() end

local barrier = {}

barrier.methods = Barrier

---@param parties integer
---@return neap.core.Barrier
---@nodiscard
function barrier.new(parties) end

return barrier
