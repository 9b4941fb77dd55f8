--- neap test [PATH...]: run the specs of files and folders.

local core = require("neap.core.test")
local fs = require("neap.fs")
local options = require("neap.options")
local text = require("neap.core.text")

local test = {}

local DONE, FAILED, USAGE = 0, 1, 2

local USAGE_TEXT = "usage: neap test [PATH...] [--seed N|A..B] [--slice-limit D] [--filter PATTERN] [--ran FILE]\n"
  .. "                 [--fail-fast]\n"

local OPTIONS = { "--seed", "--slice-limit", "--filter", "--ran", "--fail-fast" }

-- `N` or `A..B`, or nil.
local function read_seeds(value)
  local first, last = value:match("^(%-?%d+)%.%.(%-?%d+)$")
  first = math.tointeger(tonumber(first or value))
  last = last and math.tointeger(tonumber(last)) or first
  return first and last >= first and { first = first, last = last } or nil
end

-- What each option makes of its value; nil for a value that is none.
local READ = {
  ["--seed"] = read_seeds,
  ["--slice-limit"] = function(value)
    local ok, seconds = pcall(text.duration, tonumber(value) or value, "--slice-limit")
    return ok and seconds or nil
  end,
  ["--filter"] = function(value) return pcall(string.find, "", value) and value or nil end,
  ["--ran"] = function(value) return value end,
}

-- What is a value of each.
local VALUES = {
  ["--seed"] = "a whole number, or a range as 1..1000",
  ["--slice-limit"] = "a duration is seconds or a text as \"1m30s\"",
  ["--filter"] = "a pattern as string.find takes it",
}

local FLAGS = { ["--fail-fast"] = true }

-- Why there are no specs at `path`, or nil.
local function problem_of(path)
  local file, why = io.open(path)
  if not file then return why end
  file:close()
  if path:find("%.lua$") then return nil end    -- what is asked below takes a thread
  if fs.stat(path).type ~= "directory" then return path .. ": no file of specs: its name does not end in .lua" end
  for _, name in ipairs(fs.list(path, { recursive = true })) do
    if name:find("_spec%.lua$") then return nil end
  end
  return path .. ": no name in it ends in _spec.lua"
end

-- Paths and options, or nil and what is wrong.
local function read(argv)
  local paths, given = {}, { ["--slice-limit"] = 10 }
  local i = 1
  while i <= #argv do
    local name, value = argv[i]:match("^(%-%-[^=]+)=(.*)$")
    name = name or argv[i]
    if name:sub(1, 1) ~= "-" then
      paths[#paths + 1] = name
    elseif FLAGS[name] then
      if value then return nil, name .. " takes no value" end
      given[name] = true
    elseif not READ[name] then
      return nil, ("unknown option %s%s"):format(name, options.hint(name, OPTIONS))
    else
      if not value then
        i = i + 1
        value = argv[i]
      end
      if not value then return nil, name .. " needs a value" end
      given[name] = READ[name](value)
      if given[name] == nil then return nil, ("%s %s: %s"):format(name, value, VALUES[name]) end
    end
    i = i + 1
  end
  if #paths == 0 then paths[1] = "spec/neap" end
  for _, path in ipairs(paths) do
    local why = problem_of(path)
    if why then return nil, why end
  end
  return paths, given
end

local function report(result)
  for _, problem in ipairs(result.problems) do
    io.stdout:write("\nFAILED ", problem.name, "\n", problem.message, "\n")
    if problem.traceback then io.stdout:write(problem.traceback, "\n") end
    if problem.repeat_with then io.stdout:write("to repeat it: ", problem.repeat_with, "\n") end
  end
  local skipped = result.skipped > 0 and (", %d skipped"):format(result.skipped) or ""
  io.stdout:write(("%d passed, %d failed%s\n"):format(result.passed, result.failed, skipped))
end

-- A line for each spec that has passed: its file, a tab, its name.
local function write_ran(path, ran)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(table.concat(ran, "\n"), "\n"))
end

--- Run the command.
---@async
---@param argv string[]
---@return integer status  0 when all passed, 1, or 2 for wrong arguments.
function test.run(argv)
  local paths, given = read(argv)
  if not paths then
    io.stderr:write("neap test: ", given, "\n", USAGE_TEXT)
    return USAGE
  end
  -- From here on, or busted itself would be reported as a long slice.
  core.slice_limit(given["--slice-limit"])
  local found, why = pcall(require, "busted.core")
  if not found then
    if not why:find("module 'busted.core' not found", 1, true) then error(why, 0) end
    io.stderr:write("neap test: busted is not installed: apt install lua-busted\n")
    return FAILED
  end
  local result = require("cli.specs").run(paths, {
    seeds = given["--seed"],
    filter = given["--filter"],
    fail_fast = given["--fail-fast"],
    progress = function(words) io.stdout:write(words):flush() end,
  })
  if given["--ran"] then write_ran(given["--ran"], result.ran) end
  report(result)
  if result.passed + result.failed + result.skipped == 0 then
    io.stderr:write("neap test: no spec ran: look at --filter, and at what the files define\n")
    return FAILED
  end
  return result.failed == 0 and DONE or FAILED
end

return test
