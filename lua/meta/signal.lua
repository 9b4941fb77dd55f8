---@meta neap.core.signal

local signal = {}

--- This host takes the signals of the process. They cancel the main scope, and after the
--- grace `app`.
---@param app neap.Scope
---@param grace neap.Duration
---@param show fun()  Prints the tasks.
function signal.open(app, grace, show) end

--- The scope that is cancelled first.
---@param scope neap.Scope
function signal.main(scope) end

--- The host ends as by a signal. Under `neap run` only.
---@param status? integer|boolean
function signal.exit(status) end

---@return integer? status  Of the end that a signal or `exit` has begun.
---@nodiscard
function signal.status() end

---@param ... string  Names of signals.
---@return async fun(): string
---@nodiscard
function signal.receive(...) end

return signal
