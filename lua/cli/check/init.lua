--- neap check FILE...: compile scripts and lint them, without running them.
---
--- A script that Lua does not compile gets Lua's own message, with the column it lacks.
--- One that compiles is read a second time, as a tree, by the rules (cli/check/rules).

local lexer = require("cli.check.lexer")
local parser = require("cli.check.parser")
local report = require("cli.check.report")
local rules = require("cli.check.rules")
local scope = require("cli.check.scope")

local check = {}

-- Exit statuses, the later outweighs the earlier.
local CLEAN, FINDINGS, CANNOT_LOAD, USAGE = 0, 3, 1, 2
local WEIGHT = { [CLEAN] = 0, [FINDINGS] = 1, [CANNOT_LOAD] = 2, [USAGE] = 3 }

-- Findings printed of one file: nobody reads more at once.
local SHOWN = 100

local function read(path)
  local file, reason = io.open(path, "rb")
  if not file then
    return nil, reason:gsub("^" .. path:gsub("%p", "%%%0") .. ": ", "")
  end
  local source, failure = file:read("a")
  file:close()
  -- A folder can be opened, but not read.
  return source, failure
end

--- The source as Lua's loader sees it, of the same length: without a byte order mark,
--- and with blanks for a first line that begins with `#`.
---@param source string
---@return string
function check.loadable(source)
  source = source:gsub("^\xEF\xBB\xBF", "")
  return (source:gsub("^#[^\r\n]*", function(line) return (" "):rep(#line) end))
end

-- Where our own reading stops: most often the token that Lua complains about, too.
local function stopping_place(source)
  local ok, stopped = pcall(function()
    for _ in parser.statements(source) do end
  end)
  if ok or type(stopped) ~= "table" then return nil end
  return stopped.pos
end

-- The place of Lua's complaint. Lua knows the line only. What it has found without our
-- noticing (a `goto` to nowhere, an assignment to a constant) stands in its message.
local function place_of(source, line, message)
  line = tonumber(message:match(" at line (%d+)$")) or line
  local from, to = report.line(source, line)
  local pos = stopping_place(source)
  if pos and (pos < from or pos > to + 1) then pos = nil end
  if not pos then
    local text = source:sub(from, to)
    local token = message:match(" near '(.+)'$")
    local name = message:match("'([%a_][%w_]*)'") or message:match("^break")
    local column = token and text:find(token, 1, true)
      or name and text:find("%f[%w_]" .. name .. "%f[^%w_]")
      or text:find("%S") or 1
    pos = from + column - 1
  end

  local ok, _, start, stop = pcall(lexer.next, source, pos)
  if not ok or start ~= pos then stop = pos end
  local place = { pos = pos, stop = stop, message = message }
  report.locate(source, { place })
  return place
end

--- Whether Lua compiles a source; if it does not, report why.
---@param out { write: fun(self, ...: string) }
---@param path string  What the source is called.
---@param source string  As `check.loadable` returns it.
---@return boolean
function check.compiles(out, path, source)
  -- In a coroutine, or the message handler of a protected call around us would have its
  -- way with some of Lua's complaints.
  local chunk, failure = coroutine.wrap(load)(source, "=check", "t")
  if chunk then return true end
  local line, message = failure:match("^check:(%d+): (.*)$")
  if line then
    report.write(out, path, source, place_of(source, tonumber(line), message))
  else
    out:write(path, ": Lua cannot compile this: ", failure, "\n")
  end
  return false
end

local function lint(out, path, source)
  local visitor = rules.new(path:find("_spec%.lua$") ~= nil)
  local walker = scope.walker(visitor)
  for statement in parser.statements(source) do walker:statement(statement) end

  local findings = visitor:finish()
  report.locate(source, findings)
  for i = 1, math.min(#findings, SHOWN) do report.write(out, path, source, findings[i]) end
  if #findings > SHOWN then
    out:write(("%s: %d more findings are not shown\n"):format(path, #findings - SHOWN))
  end
  return #findings == 0 and CLEAN or FINDINGS
end

local function check_file(out, path)
  local source, reason = read(path)
  if not source then
    out:write(path, ": ", reason, "\n")
    return USAGE
  end
  if source:sub(1, 1) == "\27" then
    out:write(path, ": this is compiled Lua (bytecode); neap reads Lua source only\n")
    return CANNOT_LOAD
  end
  source = check.loadable(source)
  if not check.compiles(out, path, source) then return CANNOT_LOAD end
  return lint(out, path, source)
end

--- Check files and report what is found.
---@param paths string[]
---@param out { write: fun(self, ...: string) }  A file, or whatever writes like one.
---@return integer status  0 clean, 3 something was found, 1 a file is no Lua source, 2 one
---  cannot be read or none is named. The worst of all files, in that order.
function check.run(paths, out)
  if #paths == 0 then
    out:write("usage: neap check FILE...\n")
    return USAGE
  end
  local worst = CLEAN
  for _, path in ipairs(paths) do
    local status = check_file(out, path)
    if WEIGHT[status] > WEIGHT[worst] then worst = status end
  end
  return worst
end

return check
