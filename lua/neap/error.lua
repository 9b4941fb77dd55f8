--- Errors as objects: `kind` says what went wrong, `message` says it to people.
--- Neap raises nothing else, and a script may raise any value.

local errors = require("neap.core.error")
local time = require("neap.core.time")

---@class neap.Error
---@field kind string  What a program compares: `"timeout"`, `"closed"`, a script's own.
---@field message string  One sentence for people.
---@field op? string  The operation that failed, as a script writes it: `"channel:send"`, `"neap.fs.read"`.
---@field code? string  The kind in more detail, as the system names it: `"ECONNREFUSED"`.
---@field cause? any  The error behind this one.
---@field data? any  Whatever belongs to it.
---@field others? any[]  Further errors of the same failure, in the order in which they happened.
---@field task? string  The name of the task that raised it.
---@field traceback? string  Where it was raised.
---@field step? neap.step.Mark  The step by whose body it was raised.
---@field reason? neap.Reason  Of a cancellation: why.

---@class neap.Reason
---@field kind "cancelled"|"deadline"|"failed"|"shutdown"
---@field message string
---@field by? string  The name of the task that cancelled.
---@field at number  When: seconds since the epoch.

---@class neap.error.Fields
---@field op? string
---@field code? string
---@field cause? any
---@field data? any
---@field others? any[]
---@field task? string
---@field traceback? string

local error = {}

--- Make an error object, to be raised with `error(e)` or handed on as a value.
--- Kinds that Neap itself raises keep their meaning (`rejected` for instance is never
--- retried); any other word is free for a script.
---@param kind string
---@param message string
---@param fields? neap.error.Fields
---@return neap.Error
---@nodiscard
error.new = errors.new

--- Is the value an error object (of that kind)?
---@param value any
---@param kind? string
---@return boolean
error.is = errors.is

--- Is the value the cancellation of the running task?
--- False for an error of kind `cancelled` that tells of another task, and once the
--- cancelled scope has been left.
---@param value any
---@return boolean
error.is_cancelled = time.is_cancelled

--- Why the running task is cancelled here, or nil if it is not. Does not wait and
--- does not raise. Under a shield only the shield's own deadline counts.
---@type fun(): neap.Reason?
error.cancelled = time.cancelled

return error
