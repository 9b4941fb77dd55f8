--- Let one task at a time do something that has checkpoints in it.
--- Code between two checkpoints needs no mutex: it is never interrupted by
--- another task. A mutex is fair: it is handed on in the order of asking.

local core = require("neap.core.mutex")

---@class neap.Mutex: neap.core.Mutex
local Mutex = core.methods

--- Run `fn(...)` holding the mutex and return what it returns.
--- Waits while another task holds it. It is released when `fn` returns, raises,
--- or is cancelled.
---@async
---@generic R
---@param fn async fun(...): R
---@param ... any  Passed to `fn`.
---@return R
function Mutex:run(fn, ...)
  local _ <close> = self:lock()
  return fn(...)
end

local mutex = {}

--- Create a mutex. It is its own guard: `local guard <close> = m:lock()`.
---@return neap.Mutex
---@nodiscard
function mutex.new()
  return core.new()
end

return mutex
