---@meta neap.core.event

---@class neap.core.Event
local Event = {}

--- Set it: whoever waits goes on, also if it is cleared before they run.
function Event:set() end

--- From now on `wait` waits again.
function Event:clear() end

---@return boolean
---@nodiscard
function Event:is_set() end

--- Wait until it is set.
---@async
function Event:wait() end

--- Make an arm of `neap.select` that happens when it is set.
---@param handler? async fun(): ...
---@return neap.Arm
---@nodiscard
function Event:on_wait(handler) end

local event = {}

event.methods = Event

---@return neap.core.Event
---@nodiscard
function event.new() end

return event
