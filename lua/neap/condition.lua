--- Wait for a change of what a mutex guards.
---
---     local guard <close> = m:lock()
---     while #queue == 0 do ready:wait() end

local core = require("neap.core.cond")

---@class neap.Condition: neap.core.Cond

local condition = {}

--- Create a condition that belongs to `mutex`.
---@param mutex neap.Mutex
---@return neap.Condition
---@nodiscard
function condition.new(mutex)
  return core.new(mutex)
end

return condition
