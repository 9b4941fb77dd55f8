---@meta neap.core.rwlock

---@class neap.core.Rwlock
local Rwlock = {}

--- Wait until nobody writes and no writer waits, and hold it for reading.
--- Raises `usage` when this task holds it already.
--- A guard that is not released when its task ends is reported and taken back.
---@async
---@return neap.core.Permit guard  To be closed: `local guard <close> = lock:read()`.
---@nodiscard
function Rwlock:read() end

--- Wait until nobody else reads or writes, and hold it for writing.
--- Raises `usage` when this task holds it already.
--- A guard that is not released when its task ends is reported and taken back.
---@async
---@return neap.core.Permit guard  To be closed: `local guard <close> = lock:write()`.
---@nodiscard
function Rwlock:write() end

--- As `read`, without waiting.
---@return neap.core.Permit? guard
---@return "locked"? reason
---@nodiscard
function Rwlock:try_read() end

--- As `write`, without waiting.
---@return neap.core.Permit? guard
---@return "locked"? reason
---@nodiscard
function Rwlock:try_write() end

local rwlock = {}

rwlock.methods = Rwlock

---@return neap.core.Rwlock
---@nodiscard
function rwlock.new() end

return rwlock
