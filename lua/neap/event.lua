--- A flag that tasks wait for. It can be set and cleared any number of times.

local core = require("neap.core.event")

---@class neap.Event: neap.core.Event

local event = {}

--- Create an event, not set.
---@return neap.Event
---@nodiscard
function event.new()
  return core.new()
end

return event
