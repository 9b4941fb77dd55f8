--- An error as text, for people.

local host = require("neap.core.host")

local report = {}

-- Of a stack, from the innermost call outwards: where the host begins.
local function is_host(line)
  return line:find("^%s+cli/") or line:find("^%s+[^%s:]*/busted/")
end

-- Calls between the script and the host.
local function is_between(line)
  return line:find("^%s+%[C%]") or line:find("^%s+neap/") or line:find("^%s+%(%.%.%.tail calls")
end

--- A traceback without its end, which is the host's.
---@param text string
---@return string
function report.traceback(text)
  local stack, spawned = {}, {}
  local host_begins = false
  for line in text:gmatch("[^\n]+") do
    if line:find("^spawned at ") then
      if not line:find("^spawned at cli/") then spawned[#spawned + 1] = line end
    else
      host_begins = host_begins or is_host(line)
      if not host_begins then stack[#stack + 1] = line end
    end
  end
  while #stack > 0 and is_between(stack[#stack]) do stack[#stack] = nil end
  table.move(spawned, 1, #spawned, #stack + 1, stack)
  return table.concat(stack, "\n")
end

local function message(err)
  if type(err) == "table" and not (debug.getmetatable(err) or {}).__tostring then
    return "a table was raised, without a __tostring"
  end
  local ok, text = pcall(tostring, err)
  return ok and text or ("a %s was raised, whose __tostring fails"):format(type(err))
end

-- The step that an error comes from, if it does.
local function step_of(err)
  local step = type(err) == "table" and rawget(err, "step")
  if type(step) ~= "table" or type(step.name) ~= "string" or math.type(step.attempts) ~= "integer" then return nil end
  return ("in %sstep %q%s"):format(step.undo and "the undo of " or "", step.name,
    step.attempts > 1 and (", after %d attempts"):format(step.attempts) or "")
end

-- `told` has the errors that have been described: one may be its own cause, in a circle.
local function describe(lines, what, err, told)
  if type(err) == "table" then
    if told[err] then return end
    told[err] = true
  end
  lines[#lines + 1] = what .. message(err)
  lines[#lines + 1] = step_of(err)
  local where = host.traceback(err)
  if where then lines[#lines + 1] = report.traceback(where) end
  if type(err) ~= "table" then return end
  if rawget(err, "cause") ~= nil then describe(lines, "caused by: ", err.cause, told) end
  local others = rawget(err, "others")
  if type(others) == "table" then
    for _, other in ipairs(others) do describe(lines, "and: ", other, told) end
  end
end

--- What an error says, where it began, where its task and those above were spawned; then
--- its cause, and what else failed.
---@param err any
---@return string
function report.error(err)
  local lines = {}
  describe(lines, "neap: ", err, {})
  return table.concat(lines, "\n") .. "\n"
end

return report
