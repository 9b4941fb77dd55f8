---@meta neap.core.isolate

--- Hosts on threads of their own: see `neap.isolates`.
local isolate = {}

--- Make a channel to an isolate, which is not running yet.
---@param capacity integer  Values on their way in each direction.
---@return neap.Port
---@nodiscard
function isolate.new(capacity) end

--- Start the isolate at the other end, once, and wait until it has ended. Cancelled, this
--- cancels what runs there, and still waits.
---@async
---@param port neap.Port  From `isolate.new`.
---@param module string
function isolate.serve(port, module) end

--- Whether the isolate has failed by an error that nobody has been told.
---@param port neap.Port
---@return boolean failed
---@return any err
---@nodiscard
function isolate.failure(port) end

return isolate
