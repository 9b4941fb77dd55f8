---@meta neap.core.port

---@class neap.core.Port
---@operator call: any
local Port = {}

--- Send copies of values to the other end. Waits while as many as the capacity are on
--- their way. Raises `usage` and the place of what cannot be copied; raises `closed`, also
--- while it waits, when the channel is closed. Cancelled while it waits, it has sent
--- nothing.
---@async
---@param value any  Not nil.
---@param ... any  Received together with `value`; at most 255 in all.
function Port:send(value, ...) end

--- Send copies of values if that needs no waiting.
---@param value any  Not nil.
---@param ... any
---@return true? sent
---@return "full"|"closed"|nil reason
function Port:try_send(value, ...) end

--- Make an arm of `neap.select` that sends `value`. Raises `closed` there if the channel is
--- closed.
---@param value any  Not nil.
---@param handler? async fun(): ...
---@return neap.Arm
---@nodiscard
function Port:on_send(value, handler) end

--- Receive the values that were sent together first. Waits for them. Raises what the other
--- end was closed with, after everything sent before. `for v in ch do` receives until it is
--- closed.
---@async
---@return any value  nil after the last value.
---@return any ...  The other values; "closed" after the last value.
function Port:recv() end

--- Receive what has come, without waiting.
---@return any value
---@return any ...  After nil: "empty" or "closed".
function Port:try_recv() end

--- Make an arm of `neap.select` that receives. Its values are those of `recv`.
---@param handler? async fun(value: any, ...: any): ...
---@return neap.Arm
---@nodiscard
function Port:on_recv(handler) end

--- Close both directions: nothing more can be sent, what is on its way can be received.
--- A second close changes nothing.
---@param cause? any  Raised at both ends when everything has been received.
function Port:close(cause) end

--- How many values have come and wait to be received.
---@return integer
---@nodiscard
function Port:len() end

---@return boolean
---@nodiscard
function Port:is_closed() end

local port = {}

port.methods = Port

--- Copy values into a parcel, which `send` and its like take in place of values. It can
--- be sent once.
---@param value any  Not nil.
---@param ... any
---@return userdata parcel
---@nodiscard
function port.pack(value, ...) end

return port
