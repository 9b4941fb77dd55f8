--- An error as text, for people.

local host = require("neap.core.host")

local report = {}

-- Lines of a stack below which there is nothing of the script.
local HOST = { "^%s+%[C%]", "^%s+cli/", "^%s+%(%.%.%.tail calls", "^%s+/usr/share/lua/" }

local function is_host(line)
  for _, pattern in ipairs(HOST) do
    if line:find(pattern) then return true end
  end
  return false
end

--- A traceback without its end, which is the host's.
---@param text string
---@return string
function report.traceback(text)
  local stack, below = {}, {}
  for line in text:gmatch("[^\n]+") do
    local part = line:find("^spawned at ") and below or stack
    if not line:find("^spawned at cli/") then part[#part + 1] = line end
  end
  while #stack > 0 and is_host(stack[#stack]) do stack[#stack] = nil end
  table.move(below, 1, #below, #stack + 1, stack)
  return table.concat(stack, "\n")
end

local function message(err)
  if type(err) == "table" and not (getmetatable(err) or {}).__tostring then
    return "a table was raised, without a __tostring"
  end
  return tostring(err)
end

local function describe(lines, what, err)
  lines[#lines + 1] = what .. message(err)
  local where = host.traceback(err)
  if where then lines[#lines + 1] = report.traceback(where) end
  if type(err) ~= "table" then return end
  if rawget(err, "cause") ~= nil then describe(lines, "caused by: ", err.cause) end
  local others = rawget(err, "others")
  if type(others) == "table" then
    for _, other in ipairs(others) do describe(lines, "and: ", other) end
  end
end

--- What an error says, where it began, where its task and those above were spawned; then
--- its cause, and what else failed.
---@param err any
---@return string
function report.error(err)
  local lines = {}
  describe(lines, "neap: ", err)
  return table.concat(lines, "\n") .. "\n"
end

return report
