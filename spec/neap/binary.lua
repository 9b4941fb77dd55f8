--- For specs that run the binary itself, as a child in a folder of its own: what it prints,
--- how it ends. A file of specs has `before_each(binary.open_folder)` and
--- `after_each(binary.remove_folder)`.

local neap = require("neap")
local process = require("neap.process")

local binary = {}

---@class spec.Ended  How a run has ended.
---@field status integer  As the shell gives it: 128 and the signal's number, if that ended it.
---@field out string  What stands on standard output.
---@field err string  And on standard error.

--- What a script prints to say that it is ready: what comes after is not buffered either.
binary.READY = 'print("ready")\n'

--- The output of a command of the shell.
---@async
---@param command string
---@return string
function binary.shell(command)
  return process.run({ "sh", "-c", command }).stdout
end

local shell = binary.shell

-- While a module is loaded nothing can wait. The shell's parent is this process.
local function path_of_binary()
  local pipe <close> = neap.raw.io.popen("readlink /proc/$PPID/exe")
  return pipe:read("l")
end

--- The path of the binary.
binary.NEAP = path_of_binary()

--- Make the folder in which the next spec's runs take place: `binary.folder`.
function binary.open_folder() binary.folder = shell("mktemp -d"):gsub("%s+$", "") end

--- Remove it, and what is in it.
function binary.remove_folder() os.execute("rm -r '" .. binary.folder .. "'") end

--- The path of a file in the folder.
---@param name string
---@return string
function binary.path(name) return binary.folder .. "/" .. name end

--- Write a file in the folder.
---@param name string
---@param text string
function binary.write(name, text)
  local file = assert(io.open(binary.path(name), "wb"))
  file:write(text)
  file:close()
end

--- Read a file in the folder.
---@param name string
---@return string
function binary.read(name)
  local file = assert(io.open(binary.path(name), "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- What a run left behind. `status` is what the shell printed.
local function ended(status)
  return { status = tonumber(status), out = binary.read("out"), err = binary.read("err") }
end

--- Run the command line `arguments` in the folder; nothing takes longer than a minute.
---@param arguments string
---@param before? string  What stands before it in the shell: a pipe that it reads from, a limit.
---@return spec.Ended
function binary.neap(arguments, before)
  return ended(shell(("cd '%s'; %s timeout 60 '%s' %s >out 2>err; echo $?"):format(
    binary.folder, before or "", binary.NEAP, arguments)))
end

--- Run a script.
---@param text string
---@param arguments? string
---@return spec.Ended
function binary.run(text, arguments)
  binary.write("script.lua", text)
  return binary.neap("run script.lua " .. (arguments or ""))
end

--- Run a script until it has printed "ready", then the shell's commands.
---@param text string
---@param options? string  Of `neap run`.
---@param commands string  `kill INT` sends that signal to the script.
---@return spec.Ended
function binary.run_and(text, options, commands)
  binary.write("script.lua", text)
  return ended(shell(([[
    cd '%s'; : >out
    '%s' run %s script.lua >out 2>err & pid=$!
    kill() { command kill -$1 $pid; }
    tries=0
    until grep -q ready out || [ $tries -gt 500 ]; do sleep 0.01; tries=$((tries + 1)); done
    %s
    tries=0
    while command kill -0 $pid 2>/dev/null && [ $tries -lt 900 ]; do sleep 0.01; tries=$((tries + 1)); done
    [ $tries -lt 900 ] || command kill -KILL $pid
    wait $pid; echo $?
  ]]):format(binary.folder, binary.NEAP, options or "", commands)))
end

return binary
