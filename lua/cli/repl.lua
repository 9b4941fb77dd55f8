--- neap repl: read input, run it, print what it gives.
---
--- Each input runs in a scope of its own inside one for the whole session, `neap.app`, whose
--- tasks go on while the prompt waits. Ctrl-C cancels the scope of the input.

local completion = require("cli.complete")
local edit = require("neap.core.edit")
local fs = require("neap.fs")
local host = require("neap.core.host")
local neap = require("neap")
local report = require("cli.report")
local scopes = require("neap.core.scope")
local signal = require("neap.core.signal")
local tree = require("cli.tree")

local repl = {}

local DONE, FAILED, USAGE = 0, 1, 2

local PROMPT, MORE = "> ", ">> "

local CANCELLED = "cancelled\n"

-- Seconds that a session which is left has for its tasks, as a script has by default.
local GRACE = 10

-- Lines of the history that a new session remembers, and the longest file it reads.
local HISTORY, HISTORY_BYTES = 1000, 1 << 24

local GREETING = "neap %s, %s. Ctrl-C stops an input, Ctrl-D ends; help: neap help repl\n"

-- Input --------------------------------------------------------------------------------

local function history_path()
  local state = os.getenv("XDG_STATE_HOME")
  if state and state ~= "" then return state .. "/neap/history" end
  local home = os.getenv("HOME")
  return home and home ~= "" and home .. "/.neap_history" or nil
end

-- Where lines come from: a terminal with an editor, one without, or a pipe or file.
---@class cli.repl.Input
---@field editor neap.core.Edit?
---@field interactive boolean
---@field history string?  The path of its file.
local Input = {}
Input.__index = Input

local function open_input()
  local input = setmetatable({ interactive = host.is_tty(0) }, Input)
  input.editor = input.interactive and edit.open(neap.stdin, completion.complete) or nil
  input.history = input.editor and history_path()
  local ok, text = pcall(fs.read, input.history or "", { max_bytes = HISTORY_BYTES })
  if not ok then return input end
  local lines = {}
  for line in text:gmatch("[^\n]+") do lines[#lines + 1] = line end
  for i = math.max(1, #lines - HISTORY + 1), #lines do input.editor:remember(lines[i]) end
  return input
end

-- A history that cannot be written is no reason to disturb anybody.
function Input:remember(line)
  if not self.editor or not line:find("%S") then return end
  self.editor:remember(line)
  if not self.history then return end
  pcall(function()
    fs.mkdir(self.history:match("^(.*)/") .. "/", { mode = "700" })
    fs.write(self.history, line .. "\n", { append = true, mode = "600" })
  end)
end

-- The next line; nil at the end.
---@async
function Input:line(prompt)
  local line
  if self.editor then
    line = self.editor:line(prompt)
  else
    if self.interactive then
      io.stdout:write(prompt)
      io.stdout:flush()
    end
    line = neap.stdin:read("line")
  end
  if line then self:remember(line) end
  if not line and self.interactive then io.stdout:write("\n") end
  return line
end

-- Running ------------------------------------------------------------------------------

local function is_incomplete(why)
  return why:find("<eof>$") ~= nil
end

-- As a function: an expression, whose values are wanted, or statements; or nil and why not.
local function compile(source)
  local chunk, why = load("return " .. source, "=input", "t")
  if chunk then return chunk end
  local statements, other = load(source, "=input", "t")
  if statements then return statements end
  return nil, is_incomplete(why) and why or other
end

-- The function of one input, of several lines perhaps; nil at the end of all input. For an
-- input that does not compile, false and why.
---@async
local function read_input(input)
  local source = input:line(PROMPT)
  if not source then return nil end
  while true do
    local chunk, why = compile(source)
    if chunk then return chunk end
    if not is_incomplete(why) then return false, why end
    local line = input:line(MORE)
    if not line then return false, why end
    source = source .. "\n" .. line
  end
end

local function print_values(values)
  if values.n == 0 then return end
  local texts = {}
  for i = 1, values.n do texts[i] = completion.show(values[i]) end
  print(table.concat(texts, "\t"))
end

-- The scope of the input that is under way.
local current

-- Call `fn` in a scope that Ctrl-C cancels: true and its values; false and its error; nil if
-- it was cancelled. It has a task of its own, for one that ignores Ctrl-C for long is killed.
---@async
local function run_scoped(name, fn, ...)
  local values
  local ok, err = pcall(neap.scope, { name = name }, function(s, ...)
    signal.main(s)
    current = s
    values = table.pack(s:spawn({ name = name }, fn, ...):await())
  end, ...)
  current = nil
  if not ok then return false, err end
  if not values then return nil end
  return true, table.unpack(values, 1, values.n)
end

-- What is on standard output comes before it.
local function complain(text)
  io.stdout:flush()
  io.stderr:write(text)
end

-- Printing belongs to the input: values may have a __tostring.
---@async
local function run_input(chunk)
  print_values(table.pack(chunk()))
end

-- What is said of an error, which may have one, too.
---@async
local function failure(err)
  local ok, text = run_scoped("error", report.error, err)
  return ok and text or CANCELLED
end

-- One input; false at the end, then whether it was without fault.
---@async
local function step(input)
  local read, chunk, why = run_scoped("prompt", read_input, input)
  if read == nil then
    if not signal.status() then print("") end
    return not signal.status(), true
  elseif not read then
    complain(report.error(chunk))
    return false, false
  elseif chunk == nil then
    return false, true
  elseif not chunk then
    complain(why .. "\n")
    return true, false
  end
  local well, err = run_scoped("input", run_input, chunk)
  if not well and not signal.status() then
    complain(well == nil and CANCELLED or failure(err))
  end
  io.stdout:flush()
  return not signal.status(), well == true
end

local function show_tasks()
  complain(tree.render(neap.tasks()))
end

---@async
local function session(app)
  neap.app = app
  signal.open(app, GRACE, show_tasks)
  local input = open_input()
  if input.interactive then
    signal.prompt()
    io.stdout:write(GREETING:format(host.version, _VERSION))
  end
  local goes_on, well
  local status = DONE
  repeat
    goes_on, well = step(input)
    if not well and not input.interactive then status = FAILED end
  until not goes_on
  if input.interactive then app:cancel("the session has ended") end
  return status
end

--- Run the command. A session that is not a person's ends with status 1 if an input failed.
---@async
---@param argv string[]
---@return integer status
function repl.run(argv)
  if argv[1] then
    io.stderr:write("neap repl: ", argv[1], ": no arguments are taken; to run a script: neap run FILE\n",
      "usage: neap repl\n")
    return USAGE
  end
  host.on_deadlock(function()
    complain("neap: " .. tree.deadlock(neap.tasks()))
    return current ~= nil and current:cancel("deadlock")
  end)
  _G.neap = neap
  local ok, status = pcall(scopes.open_with, { name = "app", guards = true, hook = { on_done = function(task)
    if task:status() == "failed" then complain(report.error(select(2, task:result()))) end
  end } }, session)
  if not ok then
    complain(report.error(status))
    status = FAILED
  end
  return signal.status() or status or DONE
end

return repl
