---@meta neap.core.blocking

local blocking = {}

---@async
---@param fn function
---@param ... any
---@return any ...
function blocking.run(fn, ...) end

---@return neap.PoolStats
function blocking.stats() end

return blocking
