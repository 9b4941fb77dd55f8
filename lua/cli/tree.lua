--- The tree of tasks as text, for people.

local tree = {}

local function line_of(task)
  local words = { task.name }
  words[#words + 1] = task.waiting and "waits in " .. task.waiting or task.status
  if task.place then words[#words + 1] = "at " .. task.place end
  local spawned_at = task.spawned_at
  if spawned_at and not spawned_at:find("^cli/") then
    words[#words] = words[#words] .. ", spawned at " .. spawned_at
  end
  return table.concat(words, " ")
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
