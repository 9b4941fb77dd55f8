--- Run other programs: `neap.process.run { "git", "status" }`.
--- A child process never outlives what started it: leaving its block, a cancellation and the
--- end of its task stop it, by SIGTERM, and by SIGKILL when it has not ended after `grace`.
--- It leads a process group of its own, so that a signal reaches also what it has started;
--- unless it shares the host's standard input, and with it the terminal.

local core = require("neap.core.proc")
local errors = require("neap.core.error")
local options = require("neap.options")
local scope = require("neap.core.scope")
local text = require("neap.core.text")

---@class neap.Process: neap.core.Process

local process = {}

local MAX_OUTPUT = 64 << 20
local GRACE = 5

-- The numbers of bind/proc.c.
local PIPE, INHERIT, NOTHING, AS_STDOUT = 0, 1, 2, 3

local COMMON = { "cwd", "env", "stdin", "stdout", "stderr", "grace" }
local RUN = { "timeout", "max_output", "check", table.unpack(COMMON) }

-- The program and its arguments as a list of strings, and the options beside them.
local function split(what, command, known)
  if type(command) ~= "table" then
    errors.usage(("%s: a table expected, as { \"git\", \"status\" }, got %s"):format(what, type(command)))
  end
  local args, opts, last = {}, {}, 0
  for key, value in pairs(command) do
    if math.type(key) == "integer" and key > 0 then
      last = math.max(last, key)
    else
      opts[key] = value
    end
  end
  options.check(what, opts, known)
  for i = 1, last do
    local value = command[i]
    if type(value) ~= "string" and math.type(value) ~= "integer" then
      errors.usage(("%s: argument %d: string expected, got %s"):format(what, i, type(value)))
    end
    args[i] = tostring(value)
  end
  if not args[1] then errors.usage(what .. ": the name of a program expected") end
  return args, opts
end

-- { PATH = "/bin", DEBUG = false } as changes: { "PATH=/bin", "DEBUG" }.
local function changes_of(what, env)
  if env == nil then return nil end
  local changes = {}
  if type(env) ~= "table" then errors.usage(("%s: env: a table expected, got %s"):format(what, type(env))) end
  for name, value in pairs(env) do
    if type(name) ~= "string" or name == "" or name:find("=", 1, true) then
      errors.usage(("%s: env: %s is no name of a variable"):format(what, tostring(name)))
    elseif value == false then
      changes[#changes + 1] = name
    elseif type(value) == "string" or type(value) == "number" then
      changes[#changes + 1] = name .. "=" .. value
    else
      errors.usage(("%s: env: %s: string or false expected, got %s"):format(what, name, type(value)))
    end
  end
  return changes
end

local STREAMS = { [true] = INHERIT, [false] = NOTHING }

-- What a standard stream is: a pipe unless it was said otherwise.
local function stream_of(what, name, value)
  if value == nil then return PIPE end
  if name == "stderr" and value == "stdout" then return AS_STDOUT end
  local stream = STREAMS[value]
  if not stream then
    errors.usage(("%s: %s: true (the host's), false (nothing)%s expected, got %s"):format(what, name,
      name == "stderr" and " or \"stdout\"" or "", tostring(value)))
  end
  return stream
end

local function spawn(what, args, opts)
  local stdin = stream_of(what, "stdin", opts.stdin)
  return core.spawn(args, opts.cwd, changes_of(what, opts.env), stdin,
    stream_of(what, "stdout", opts.stdout), stream_of(what, "stderr", opts.stderr),
    stdin ~= INHERIT, opts.grace or GRACE, what)
end

--- Start a program, to talk with it while it runs.
--- Its standard streams are pipes: read what it prints, or it waits when they are full.
--- Close it: `local child <close> = neap.process.spawn { "sort" }`. A child that is still
--- running when the task ends that started it is reported and stopped.
---@async
---@nodiscard
---@param command neap.process.Command
---@return neap.Process child  Closable.
function process.spawn(command)
  return spawn("neap.process.spawn", split("neap.process.spawn", command, COMMON))
end

-- A program may well end without reading its input.
local function feed(stream, input)
  local ok, err = pcall(stream.write, stream, input)
  stream:close()
  if not ok and not (errors.is(err, "io") and err.code == "EPIPE") then error(err, 0) end
end

local function read_all(child, name, max)
  local stream = child[name]
  if not stream then return nil end
  local ok, output = pcall(stream.read, stream, "all", { max_bytes = max })
  if ok then return output end
  if errors.is(output, "limit") then
    output = errors.new("limit", ("neap.process.run %s: more than %d bytes on %s; raise the option max_output")
      :format(child.name, max, name), { op = "neap.process.run" })
  end
  error(output, 0)
end

local function run(args, opts, input)
  local child <close> = spawn("neap.process.run", args, opts)
  local max = opts.max_output or MAX_OUTPUT
  local result = {}
  scope.open({ name = "process.run " .. args[1] }, function(s)
    if child.stdin then s:spawn(feed, child.stdin, input) end
    local stderr = child.stderr and s:spawn(read_all, child, "stderr", max)
    result.stdout = read_all(child, "stdout", max)
    result.stderr = stderr and stderr:await()
    result.status, result.signal = child:wait()
  end)
  return result
end

-- The last line that says something.
local function last_line(output)
  return output and output:match("([^\r\n]+)%s*$")
end

-- What was called, as far as it helps to find it.
local function called(args)
  return "neap.process.run " .. table.concat(args, " ", 1, math.min(#args, 4))
end

local function check(args, result)
  if result.status == 0 then return result end
  local said = last_line(result.stderr)
  error(errors.new("failed", ("%s: %s%s"):format(called(args),
    result.signal and "ended by " .. result.signal or "exit status " .. result.status,
    said and ": " .. said or ""), { op = "neap.process.run", data = result }), 0)
end

--- Run a program to its end, and return what it printed.
--- A status other than 0 is a result, unless `check` is set. Raises kind `io` if the program
--- cannot be started, `timeout`, and `limit` for too much output; the program is then stopped.
--- It waits for the end of its output, too: a program that leaves another one behind, which
--- prints, has not ended.
---@async
---@param command neap.process.RunCommand
---@return neap.process.Result
function process.run(command)
  local args, opts = split("neap.process.run", command, RUN)
  local input = type(opts.stdin) == "string" and opts.stdin or nil
  if input then
    opts.stdin = nil
  elseif opts.stdin == nil then
    opts.stdin = false
  end
  local max = opts.max_output
  if max ~= nil and (math.type(max) ~= "integer" or max < 0 or max > 0x7fffffff) then
    errors.usage("neap.process.run: max_output: a whole number from 0 to 2147483647 expected")
  end
  local result
  if opts.timeout ~= nil then
    local seconds = text.duration(opts.timeout, "neap.process.run: timeout")
    result = scope.timeout_of(called(args), seconds, run, args, opts, input)
  else
    result = run(args, opts, input)
  end
  return opts.check and check(args, result) or result
end

---@class neap.process.Command
---@field [integer] string|integer  The program, looked for in `PATH`, and its arguments. No shell reads them.
---@field cwd string?  Its directory; by default the host's.
---@field env table<string, string|number|false>?  Changes of the host's environment: `false` leaves one out.
---@field stdin boolean?  `true`: the host's own. `false`: there is nothing to read.
---@field stdout boolean?  `true`: the host's own. `false`: it is thrown away.
---@field stderr boolean|"stdout"|nil  The same; `"stdout"`: it goes where standard output goes.
---@field grace neap.Duration?  What it gets between SIGTERM and SIGKILL; by default 5 s.

---@class neap.process.RunCommand: neap.process.Command
---@field stdin string|boolean?  A string: what the program reads. By default there is nothing to read.
---@field timeout neap.Duration?  Raises kind `timeout` after that; by default none.
---@field max_output integer?  The most bytes on each of `stdout`, `stderr`; by default 64 MiB.
---@field check boolean?  Raise kind `failed`, with the result as `data`, if the status is not 0.

---@class neap.process.Result
---@field status integer?  The exit status; nil if it was ended by a signal.
---@field signal string?  That signal: `"SIGKILL"`.
---@field stdout string?  What it printed; nil if that went elsewhere.
---@field stderr string?

return process
