---@meta neap.core.tree

---@class neap.TaskNode
---@field id integer
---@field name string
---@field status neap.task.Status
---@field waiting? string  What it waits for.
---@field since? number  Since when: seconds since the epoch.
---@field place? string  Where it is: file:line.
---@field busy number  For how long it has been active, in seconds.
---@field spawned_at? string  file:line.
---@field scope? string  The name of the scope that it was spawned into.
---@field children neap.TaskNode[]  The tasks of the scopes that it has opened.

local tree = {}

--- The tree of tasks, from the root task on.
---@return neap.TaskNode
---@nodiscard
function tree.tasks() end

return tree
