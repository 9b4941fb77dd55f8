--- Many readers at once, or one writer.
--- It is fair: a writer that waits stops later readers, so neither starves.

local core = require("neap.core.rwlock")

---@class neap.Rwlock: neap.core.Rwlock

local rwlock = {}

--- Create a read-write lock: `local guard <close> = lock:read()`.
---@return neap.Rwlock
---@nodiscard
function rwlock.new()
  return core.new()
end

return rwlock
