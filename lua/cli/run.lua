--- neap run FILE [ARG...]: run a script.

local host = require("neap.core.host")
local neap = require("neap")
local options = require("neap.options")
local program = require("neap.program")
local report = require("cli.report")
local signal = require("neap.core.signal")
local supervisor = require("neap.supervisor")
local text = require("neap.core.text")
local tree = require("cli.tree")

local run = {}

local DONE, FAILED, USAGE = 0, 1, 2

local USAGE_TEXT = "usage: neap run [--grace D] FILE [ARG...]\n"

-- A script that is longer is not one.
local MAX_BYTES = 64 * 1024 * 1024

local OPTIONS = { "--grace" }

local function complain(message, ...)
  io.stderr:write("neap run: ", message:format(...), "\n")
end

local function read_duration(value)
  local ok, seconds = pcall(text.duration, tonumber(value) or value, "--grace")
  if ok then return seconds end
  return nil, ("%s: a duration is seconds or a text as \"1m30s\""):format(value)
end

-- The options before FILE, then the place of FILE in argv; or nil and what is wrong.
local function read_options(argv)
  local given, i = { grace = 10 }, 1
  while argv[i] and argv[i]:find("^%-.") do
    local name, value = argv[i]:match("^(%-%-[^=]+)=(.*)$")
    name = name or argv[i]
    if name == "--" then return given, i + 1 end
    if name ~= "--grace" then
      return nil, ("unknown option %s%s"):format(name, options.hint(name, OPTIONS))
    end
    if not value then
      i = i + 1
      value = argv[i]
    end
    if not value then return nil, name .. " needs a value" end
    local why
    given.grace, why = read_duration(value)
    if why then return nil, name .. " " .. why end
    i = i + 1
  end
  return given, i
end

-- The source of a script, or nil and why there is none.
local function read_source(path)
  if path == "-" then return io.stdin:read("a") end
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local source, failure = file:read(MAX_BYTES + 1)
  file:close()
  if failure then
    return nil, ("%s: %s"):format(path, failure == "Is a directory" and "this is a folder" or failure)
  end
  source = source or ""
  if #source > MAX_BYTES then
    return nil, ("%s: longer than %d MiB, the limit of a script"):format(path, MAX_BYTES // 1024 // 1024)
  end
  return source
end

-- The script as a function; or nil, after saying why not.
local function load_script(path)
  local source, why = read_source(path)
  if not source then
    complain("%s", why)
    return nil
  end
  if source:sub(1, 1) == "\27" then
    complain("%s: this is compiled Lua (bytecode); neap reads Lua source only", path)
    return nil
  end
  local body = source:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\r\n]*", "")
  local name = path == "-" and "stdin" or path
  local chunk, failure = load(body, path == "-" and "=stdin" or "@" .. path, "t")
  if chunk then return chunk end
  -- Loaded on need only: it would double the time to the first line of a script.
  local check = require("cli.check")
  if check.compiles(io.stderr, name, check.loadable(source)) then complain("%s", failure) end
  return nil
end

-- What the script finds as its surroundings.
local function prepare(path, argv, first)
  _G.arg = { [0] = path, table.unpack(argv, first) }
  local folder = path:match("^(.*)/[^/]*$") or "."
  if folder == "" then folder = "/" end
  package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path)
end

-- The body of the main scope: the file, then the function that it gave to neap.main.
local function run_main(main, chunk)
  local fn
  signal.main(main)
  program.on_main = function(given) fn = given end
  chunk(table.unpack(arg))
  program.on_main = nil
  if fn then fn(table.unpack(arg)) end
end

local function report_failure(err)
  io.stdout:flush()
  io.stderr:write(report.error(err))
end

-- The script has cancelled the scope above its main one, before that had ended.
local function report_cut(reason)
  local by = reason.by and " by " .. reason.by or ""
  report_failure(neap.error("cancelled", ("neap.app was cancelled%s: %s"):format(by, reason.message)))
end

local function show_tasks()
  io.stderr:write(tree.render(neap.tasks()))
end

-- The script in the main scope, below the scope of work that outlives it.
local function run_app(app, chunk, grace)
  neap.app = app
  signal.open(app, grace, show_tasks)
  local ok, err = host.raw.pcall(neap.scope, { name = "main" }, run_main, chunk)
  if ok then return DONE end
  if neap.is_cancelled(err) then
    -- A signal is known to whoever sent it.
    if not signal.status() then report_cut(err.reason) end
    error(err, 0)
  end
  report_failure(err)
  if not select(2, neap.timeout_or(grace, app.join, app)) then return FAILED end
  app:cancel("the main function failed")
  return FAILED
end

--- Run the command.
---@async
---@param argv string[]
---@return integer status
function run.run(argv)
  local given, first = read_options(argv)
  if not given or not argv[first] then
    complain("%s", given and "which file?" or first)
    io.stderr:write(USAGE_TEXT)
    return USAGE
  end
  local chunk = load_script(argv[first])
  if not chunk then return FAILED end
  prepare(argv[first], argv, first + 1)
  host.on_deadlock(function()
    io.stdout:flush()
    io.stderr:write("neap: ", tree.deadlock(neap.tasks()))
    return false
  end)

  local app_options = { name = "app", on_error = report_failure }
  local ok, status = pcall(supervisor.supervisor, app_options, run_app, chunk, given.grace)
  if not ok then
    report_failure(status)
    status = FAILED
  end
  if not host.flush() and not signal.status() then
    complain("standard output could not be written")
    status = FAILED
  end
  return signal.status() or status or FAILED
end

return run
