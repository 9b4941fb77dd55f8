---@meta neap.core.signal

local signal = {}

--- Take the signals of the process: it ends by them, at last with the scope `app`.
---@param app neap.core.Scope
---@param grace neap.Duration
---@param show fun()  Prints the tree of tasks.
function signal.open(app, grace, show) end

--- The scope that the first signal cancels.
---@param scope neap.core.Scope
function signal.main(scope) end

--- There is a prompt: SIGINT cancels the main scope, and is nothing else.
function signal.prompt() end

--- End as by a signal. The first status counts.
---@param status? integer|boolean
function signal.exit(status) end

--- The exit status of a host that ends by a signal or `neap.exit`, or nil.
---@return integer?
function signal.status() end

--- Receive signals by their names.
---@param ... string
---@return async fun(): string next
---@nodiscard
function signal.receive(...) end

return signal
