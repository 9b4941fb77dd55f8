---@meta neap.core.blocking

--- C functions on other threads: see `neap.blocking`.
local blocking = {}

---@async
---@param fn function  A C function without upvalues.
---@param ... any
---@return any ...
function blocking.run(fn, ...) end

---@return neap.PoolStats
---@nodiscard
function blocking.stats() end

return blocking
