--- The tree of tasks as text, for people.

local tree = {}

-- A place, unless it is one of the host.
local function place(what, at)
  return at and not at:find("^cli/") and not at:find("^neap/") and what .. at or ""
end

local function line_of(task)
  local state = task.waiting and "waits in " .. task.waiting or task.status
  return ("%s %s%s%s"):format(task.name, state, place(" at ", task.place),
    place(", spawned at ", task.spawned_at))
end

--- One line for each task, those that it spawned below it.
---@param task neap.TaskNode
---@param indent? string
---@return string
function tree.render(task, indent)
  indent = indent or ""
  local lines = { indent .. line_of(task) .. "\n" }
  for _, child in ipairs(task.children) do
    lines[#lines + 1] = tree.render(child, indent .. "  ")
  end
  return table.concat(lines)
end

--- What is said when no task can go on.
---@param ... neap.TaskNode
---@return string
function tree.deadlock(...)
  local lines = { "deadlock: every task waits, and nothing is left that could wake one\n" }
  for _, task in ipairs({ ... }) do lines[#lines + 1] = tree.render(task, "  ") end
  return table.concat(lines)
end

return tree
