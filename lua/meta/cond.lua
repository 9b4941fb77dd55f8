---@meta neap.core.cond

---@class neap.core.Cond
local Cond = {}

--- Release the mutex, wait to be notified, and hold the mutex again: it is held
--- when this returns and when it raises. Raises `usage` when this task does not
--- hold it, and `failed` when the mutex broke on the way back.
---@async
function Cond:wait() end

--- Wake the `n` tasks that have waited longest. Without effect on later ones.
---@param n? integer  Default 1.
function Cond:notify(n) end

--- Wake all who wait.
function Cond:notify_all() end

local cond = {}

cond.methods = Cond

---@param mutex neap.core.Mutex
---@return neap.core.Cond
---@nodiscard
function cond.new(mutex) end

return cond
