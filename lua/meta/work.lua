---@meta neap.core.work

local work = {}

---@async
---@param fn function|string
---@param ... any
---@return any ...
function work.run(fn, ...) end

---@return neap.PoolStats
function work.stats() end

return work
