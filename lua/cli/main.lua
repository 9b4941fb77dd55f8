--- The command line: what `neap ARGS...` does. Runs as the root task.

local host = require("neap.core.host")

local USAGE = 2

local GUIDE = [[
neap runs Lua scripts whose tasks wait without blocking.

  neap run FILE [ARG...]     run a script; - is standard input
  neap repl                  type Lua, and see what it gives
  neap check FILE...         look for mistakes without running
  neap test [PATH...]        run specs in virtual time
  neap help [TOPIC]          read the manual; its first page is start
  neap version               say which version this is

A first script, hello.lua, to be run with neap run hello.lua:
  local neap = require("neap")
  neap.sleep("1s"); print("hello")
]]

-- How wide, and able to print bold letters, standard output is; nil for no terminal.
local function terminal()
  if not host.is_tty(1) then return nil end
  return { width = math.tointeger(tonumber(os.getenv("COLUMNS"))) or 80,
           bold = os.getenv("TERM") ~= "dumb" and not os.getenv("NO_COLOR") }
end

local commands = {}

function commands.run(argv) return require("cli.run").run(argv) end
function commands.test(argv) return require("cli.test").run(argv) end
function commands.repl(argv) return require("cli.repl").run(argv) end
function commands.check(argv) return require("cli.check").run(argv, io.stdout) end
function commands.help(argv) return require("cli.help").run(argv, io.stdout, terminal()) end

function commands.version(argv)
  if argv[1] then
    io.stderr:write(("neap version: %s: no arguments are taken\nusage: neap version\n"):format(argv[1]))
    return USAGE
  end
  print(("neap %s, %s"):format(host.version, _VERSION))
  return 0
end

local SYNONYMS = { ["--version"] = "version", ["-v"] = "version", ["--help"] = "help", ["-h"] = "help" }

local function unknown(name)
  local names = {}
  for command in pairs(name:find("^%-") and SYNONYMS or commands) do names[#names + 1] = command end
  table.sort(names)
  local nearest = require("neap.core.text").nearest(name, names)
  local hint = "; neap alone lists the commands"
  if nearest then
    hint = ("; did you mean neap %s?"):format(nearest)
  elseif name:find("%.lua$") then
    hint = ("; to run a script: neap run %s"):format(name)
  end
  io.stderr:write(("neap: unknown %s %s%s\n"):format(name:find("^%-") and "option" or "command", name, hint))
  return USAGE
end

local function main(name, ...)
  if name == nil then
    io.stdout:write(GUIDE)
    return 0
  end
  local command = SYNONYMS[name] or name
  if not commands[command] then return unknown(name) end
  if SYNONYMS[...] == "help" then return commands.help({ command }) end
  return commands[command]({ ... })
end

host.stop(main(...))
