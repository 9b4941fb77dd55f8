---@meta neap.core.work

--- Lua on other threads, in C: see `neap.work`.
local work = {}

---@async
---@param fn function|string
---@param ... any
---@return any ...
function work.run(fn, ...) end

---@return neap.PoolStats
---@nodiscard
function work.stats() end

return work
