--- The program that `neap run` runs: its main function, its end, the signals it receives,
--- its tasks.

local core = require("neap.core.signal")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local time = require("neap.core.time")
local tree = require("neap.core.tree")

local program = {
  --- While the file of the program is loaded: takes its main function. Set by the host.
  ---@type fun(fn: function)?
  on_main = nil,
}

-- Is the file that runs being loaded by require?
local function is_in_module()
  local level = 3       -- whoever called neap.main
  local frame = debug.getinfo(level, "f")
  while frame and frame.func ~= require do
    level = level + 1
    frame = debug.getinfo(level, "f")
  end
  return frame ~= nil
end

--- Name the main function of the program: it is called, with the arguments of the command
--- line, once the file has been run to its end. When it has returned, and the work in
--- `neap.app` is done, the host ends; with status 1 if it raised.
--- The file that `neap run` was given calls it, at most once. In a module, a file that
--- `require` loads, it has no effect: a script can be another one's module, and a spec's.
---@param fn async fun(...: string)
function program.main(fn)
  expect.callable("neap.main", fn)
  if is_in_module() then return end
  if not program.on_main then
    errors.usage("neap.main: only in the file that neap run was given, and once")
  end
  program.on_main(fn)
  program.on_main = nil
end

--- End the host as a signal does: the main scope is cancelled with reason `shutdown`, after
--- the grace (`neap run --grace`, 10 s) what is left in `neap.app`, and after as much again
--- the process ends. In the main scope this does not return; under a shield, and in
--- `neap.app`, it does, since nothing there is cancelled yet. The first status counts.
---@async
---@param status? integer|boolean  0 to 255; `true` is 0, the default, and `false` is 1.
function program.exit(status)
  core.exit(status)
  time.check()
end

--- Receive signals: `for name in neap.signals("SIGHUP") do reload() end`. While a task
--- waits for one, the host stays alive. SIGINT and SIGTERM end the host and SIGUSR1 prints
--- its tasks: these are not received.
---@param ... "SIGHUP"|"SIGQUIT"|"SIGUSR2"|"SIGWINCH"|"SIGCONT"|"SIGTSTP"
---@return async fun(): string next  Waits, and returns the name of the signal.
---@nodiscard
function program.signals(...)
  return core.receive(...)
end

--- All tasks of the host as a tree, from the root on: what each waits for, since when, and
--- at which line. The same is printed on SIGUSR1, and when the host is in a deadlock.
---@return neap.TaskNode
---@nodiscard
function program.tasks()
  return tree.tasks()
end

return program
