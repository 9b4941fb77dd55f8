---@meta neap.core.latch

---@class neap.core.Latch
local Latch = {}

--- Count down, not below zero. At zero whoever waits goes on.
---@param n? integer  Default 1.
function Latch:count_down(n) end

--- Wait until the count is zero.
---@async
function Latch:wait() end

local latch = {}

latch.methods = Latch

---@param count integer
---@return neap.core.Latch
---@nodiscard
function latch.new(count) end

return latch
