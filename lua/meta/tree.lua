---@meta neap.core.tree

---@class neap.TaskNode
---@field id integer
---@field name string
---@field status "lazy"|"ready"|"running"|"waiting"
---@field waiting string?   What it waits for: `"chan.recv"`, `"task.await pay"`.
---@field since number?     The instant since which it waits, to 7 ms.
---@field place string?     Where it is: `"order.lua:12"`; nil before its first turn.
---@field busy number       Seconds that it ran.
---@field spawned_at string?
---@field scope string?     The name of the scope that it was spawned into.
---@field children neap.TaskNode[]  The tasks in scopes that it has opened.

local tree = {}

--- All tasks of the host, from the root on. Also printed on SIGUSR1.
---@return neap.TaskNode
---@nodiscard
function tree.tasks() end

return tree
