---@meta neap.core.mutex

---@class neap.core.Mutex
local Mutex = {}

--- Wait until the mutex is free, and hold it. In the order of asking.
--- Raises `usage` when this task holds it already, and `failed` when the task
--- that held it ended without releasing it: what it guards may be half changed.
--- Such an end is reported, too; after it the mutex is free.
---@async
---@return neap.core.Mutex guard  The mutex: `local guard <close> = m:lock()`.
function Mutex:lock() end

--- Hold the mutex if it is free.
---@return neap.core.Mutex? guard  The mutex.
---@return "locked"? reason  Also when this task holds it.
---@nodiscard
function Mutex:try_lock() end

--- Release it. Harmless when it is free, and for the task that released it last.
--- Raises `usage` when another task holds it; closing the guard never raises.
function Mutex:release() end

--- Make an arm of `neap.select` that happens when the mutex is free, and locks it.
--- The select raises what `lock` would.
---@param handler? async fun(guard: neap.core.Mutex): ...
---@return neap.Arm
---@nodiscard
function Mutex:on_lock(handler) end

local mutex = {}

mutex.methods = Mutex

---@return neap.core.Mutex
---@nodiscard
function mutex.new() end

return mutex
