---@meta neap.core.task

---@alias neap.task.Status "lazy"|"ready"|"running"|"waiting"|"done"|"failed"|"cancelled"

--- A coroutine that the host runs, owned by the scope that it was spawned into.
---@class neap.Task
---@field name string
---@field id integer
local Task = {}

--- Wait for its end and return what it returned, or raise its error. Inside its own failing
--- scope that is the scope's cancellation; of a task that was cancelled an ordinary error of
--- kind `cancelled`. Starts a lazy task.
---@async
---@return any ...
function Task:await() end

--- Wait for its end: true and what it returned, or false and its error.
---@async
---@return boolean ok
---@return any ...
function Task:outcome() end

--- Wait for its end. Never raises its error.
---@async
function Task:join() end

--- Without waiting: nil and "pending", or what `outcome` returns.
---@return boolean? ok
---@return any ...
function Task:result() end

--- Make an arm of `neap.select` that happens when the task has ended.
---@param handler? async fun(...): ...  Gets what the task returned.
---@return neap.Arm
---@nodiscard
function Task:on_await(handler) end

--- Start a lazy task; harmless for others.
---@return neap.Task self
function Task:start() end

--- Cancel it: its next checkpoint raises. That is no failure of its scope.
---@param reason? string  For people.
---@return boolean first  Had it not ended, and was it not cancelled yet?
function Task:cancel(reason) end

--- Where it stands.
---@return neap.task.Status
---@nodiscard
function Task:status() end

local task = {}

task.methods = Task

--- The running task.
---@return neap.Task?
function task.current() end

--- Did anybody wait for its end, or ask for its result?
---@param t neap.Task
---@return boolean
function task.is_awaited(t) end

--- Its failure has reached somebody.
---@param t neap.Task
function task.set_awaited(t) end

--- The failure that it is about to raise has reached whom it belongs to: it fails nothing,
--- and nobody starts the task again.
---@param t neap.Task
function task.set_given(t) end

---@param t neap.Task
---@return boolean
function task.is_given(t) end

--- The task does not keep its scope from being joined or left. When all others have ended
--- that is left, `recall()` tells it to end; `recall(true)`, if it never ran and never will.
---@param t neap.Task
---@param recall fun(never_ran?: boolean)
function task.stand_by(t, recall) end

return task
