---@meta neap.core.chan

---@class neap.core.Channel
---@operator call: any
local Channel = {}

--- Send values. Waits while the channel is full, or, without a buffer, until somebody
--- receives. Raises kind "closed" if the channel is closed, also while this waits; the
--- values then were not sent. Cancelled while it waits, it has not sent them either.
---@async
---@param value any  Not nil.
---@param ... any  Received together with `value`; at most 255 in all.
function Channel:send(value, ...) end

--- Send values if that needs no waiting.
---@param value any  Not nil.
---@param ... any
---@return true? sent
---@return "full"|"closed"|nil reason
function Channel:try_send(value, ...) end

--- Make an arm of `neap.select` that sends `value`. Raises kind "closed" there if the
--- channel is closed.
---@param value any  Not nil.
---@param handler? async fun(): ...
---@return neap.Arm
---@nodiscard
function Channel:on_send(value, handler) end

--- Receive the values that were sent together first. Waits for them.
--- Raises the cause if the channel was closed with one and is empty. `for v in ch do`
--- receives until it is closed.
---@async
---@return any value  nil after the last value.
---@return any ...  The other values; "closed" after the last value.
function Channel:recv() end

--- Receive, or give up when the time is over.
---@async
---@param duration neap.Duration
---@return any value
---@return any ...  After nil: "timeout" or "closed".
function Channel:recv_within(duration) end

--- Receive what is there without waiting. Raises the cause if the channel was closed with
--- one and is empty.
---@return any value
---@return any ...  After nil: "empty" or "closed".
function Channel:try_recv() end

--- Make an arm of `neap.select` that receives. Its values are those of `recv`, the end
--- included; it raises the cause that the channel was closed with.
---@param handler? async fun(value: any, ...: any): ...
---@return neap.Arm
---@nodiscard
function Channel:on_recv(handler) end

--- Close: senders raise "closed", those that wait included; receivers get what is in the
--- buffer and then the end. A second close changes nothing.
---@param cause? any  An error that receivers raise at the end.
function Channel:close(cause) end

--- Close, and discard what is in the buffer. `on_undelivered` gets each value; the first
--- error it raises is raised when it has had them all.
---@param cause? any
function Channel:abort(cause) end

--- How many values are in the buffer; values sent together count once.
---@return integer
---@nodiscard
function Channel:len() end

---@return boolean
---@nodiscard
function Channel:is_closed() end

--- Open a sending end. When the last of them is closed, the channel is.
---@return neap.channel.Sender
---@nodiscard
function Channel:sender() end

--- Open a receiving end. When the last of them is closed, the channel is, and what is in
--- its buffer goes to `on_undelivered`.
---@return neap.channel.Receiver
---@nodiscard
function Channel:receiver() end

--- A sending end; to be closed: `local out <close> = ch:sender()`.
---@class neap.channel.Sender
---@field send async fun(self: neap.channel.Sender, value: any, ...: any)
---@field try_send fun(self: neap.channel.Sender, value: any, ...: any): true?, string?
---@field on_send fun(self: neap.channel.Sender, value: any, handler?: function): neap.Arm
---@field len fun(self: neap.channel.Sender): integer
---@field is_closed fun(self: neap.channel.Sender): boolean
---@field close fun(self: neap.channel.Sender)  Twice is harmless.

--- A receiving end; to be closed: `local source <close> = ch:receiver()`.
---@class neap.channel.Receiver
---@field recv async fun(self: neap.channel.Receiver): ...
---@field recv_within async fun(self: neap.channel.Receiver, duration: neap.Duration): ...
---@field try_recv fun(self: neap.channel.Receiver): ...
---@field on_recv fun(self: neap.channel.Receiver, handler?: function): neap.Arm
---@field len fun(self: neap.channel.Receiver): integer
---@field is_closed fun(self: neap.channel.Receiver): boolean
---@field close fun(self: neap.channel.Receiver)  Twice is harmless.
---@operator call: any

local chan = {}

chan.methods = Channel

---@param capacity? integer|number  0 by default: sender and receiver meet; `math.huge`: unbounded.
---@param on_full? "wait"|"drop_oldest"|"drop_newest"
---@param on_undelivered? fun(...: any)
---@return neap.core.Channel
---@nodiscard
function chan.new(capacity, on_full, on_undelivered) end

--- Wait until a send need not wait, or the channel is closed. The room is not reserved.
---@async
---@param ch neap.core.Channel
function chan.room(ch) end

return chan
