---@meta neap.core.isolate

local isolate = {}

--- An end of the channel to an isolate that is not yet running.
---@param capacity integer
---@return neap.Port
function isolate.new(capacity) end

--- Run the isolate, until it has ended. Cancelled, it cancels what runs there, and still waits.
---@async
---@param port neap.Port
---@param module string
function isolate.serve(port, module) end

--- true and the error by which the isolate ended, if nobody has been told; else false.
---@param port neap.Port
---@return boolean failed
---@return any err
function isolate.failure(port) end

return isolate
