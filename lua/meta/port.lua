---@meta neap.core.port

---@class neap.core.Port
local Port = {}

--- Send copies of the values, which are received together. Waits while too many are on their
--- way. Raises `closed`, and `usage` for what cannot be copied.
---@async
---@param value any  Not nil.
---@param ... any
function Port:send(value, ...) end

--- Send without waiting: true, or nil and "full" or "closed".
---@param value any  Not nil.
---@param ... any
---@return true? sent
---@return "full"|"closed"|nil reason
function Port:try_send(value, ...) end

--- Receive the values that were sent together. Raises the cause if it was closed with one.
---@async
---@return any value  nil at the end.
---@return any ...  The other values; "closed" at the end.
function Port:recv() end

--- Receive without waiting: the values, or nil and "empty" or "closed".
---@return any value
---@return any ...
function Port:try_recv() end

--- Make an arm of `neap.select` that receives.
---@param handler? async fun(...): ...
---@return neap.Arm
---@nodiscard
function Port:on_recv(handler) end

--- Make an arm of `neap.select` that sends.
---@param value any  Not nil.
---@param handler? async fun(): ...
---@return neap.Arm
---@nodiscard
function Port:on_send(value, handler) end

--- Close both directions: what is on its way is received, then the end, or `cause`.
---@param cause? any
function Port:close(cause) end

--- How many values can be received at once.
---@return integer
---@nodiscard
function Port:len() end

---@return boolean
---@nodiscard
function Port:is_closed() end

local port = {}

port.methods = Port

--- Copies of the values, which `send` and its like take instead of them.
---@param value any  Not nil.
---@param ... any
---@return userdata parcel
function port.pack(value, ...) end

return port
