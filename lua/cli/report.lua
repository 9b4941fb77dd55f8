--- An error as text, for people.

local host = require("neap.core.host")

local report = {}

--- A traceback without what no script can do anything about: the host's own lines.
---@param text string
---@param also? string  A pattern: lines that match are left out, too.
---@return string
function report.traceback(text, also)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if not line:find("^%s+%[C%]: in %?") or line:find("^%s+%(%.%.%.tail calls%.%.%.%)") and not line:find("^%s+cli/") and
       not line:find("^spawned at cli/") and not (also and line:find(also)) then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
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
