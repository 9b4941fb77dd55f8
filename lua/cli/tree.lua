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

-- Levels that are indented: a line of a recursion without end would be as long as it is deep.
local INDENTED = 40

--- One line for each task, those that it spawned below it.
---@param root neap.TaskNode
---@param indent? string
---@return string
function tree.render(root, indent)
  local lines, tasks, levels = {}, { root }, { 0 }
  while #tasks > 0 do
    local task, level = table.remove(tasks), table.remove(levels)
    lines[#lines + 1] = ("%s%s%s\n"):format(indent or "", ("  "):rep(math.min(level, INDENTED)), line_of(task))
    for i = #task.children, 1, -1 do
      tasks[#tasks + 1], levels[#levels + 1] = task.children[i], level + 1
    end
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
