---@meta neap.core.sem

---@class neap.core.Permit
local Permit = {}

--- Give the slots back. Harmless when that has been done.
--- Raises `usage` in another task than the one that holds it.
function Permit:release() end

---@class neap.core.Sem
local Sem = {}

--- Wait until `n` slots are free, and take them. In the order of asking.
--- A permit that is not released when its task ends is reported and taken back.
---@async
---@param n? integer  1 to the number of slots; default 1.
---@return neap.core.Permit permit  To be closed: `local permit <close> = s:acquire()`.
---@nodiscard
function Sem:acquire(n) end

--- Take `n` slots if they are free and nobody waits.
---@param n? integer  1 to the number of slots; default 1.
---@return neap.core.Permit? permit
---@return "locked"? reason
---@nodiscard
function Sem:try_acquire(n) end

--- Make an arm of `neap.select` that happens when `n` slots are free, and takes them.
---@param n? integer  1 to the number of slots; default 1. May be left out.
---@param handler? async fun(permit: neap.core.Permit): ...
---@return neap.Arm
---@nodiscard
---@overload fun(self: neap.core.Sem, handler: async fun(permit: neap.core.Permit): ...): neap.Arm
function Sem:on_acquire(n, handler) end

local sem = {}

sem.methods = Sem

---@param slots integer  At least 1.
---@return neap.core.Sem
---@nodiscard
function sem.new(slots) end

return sem
