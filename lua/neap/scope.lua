--- Blocks that do not end before the tasks in them have ended.

local deferred = require("neap.core.deferred")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local scope = require("neap.core.scope")
local select = require("neap.select").select

---@class neap.Scope: neap.core.Scope
local Scope = scope.methods

-- A start that is over without its task being ready: left by a cancellation.
local Starting = {
  __close = function(starting)
    if not starting.is_over then
      starting.is_over = true
      if starting.task then starting.task:cancel() end -- it could be spawned
    end
  end,
}

-- What the task runs. Until it is ready its error belongs to the one who started
-- it, and is handed over as a result; afterwards, or if that one has gone, it is the
-- task's own.
local function run(starting, fn, ...)
  local outcome = table.pack(xpcall(fn, errors.handler, starting.ready, ...))
  if outcome[1] then return true end
  if starting.is_over then error(outcome[2], 0) end
  return false, outcome[2]
end

--- Start a task that has something to prepare, and wait until it is ready.
--- Calls `fn(ready, ...)` in a new task, waits until it calls `ready(value)`, and
--- returns that value; the task then goes on as any other of the scope.
---
---     local port = s:start(serve)         -- function serve(ready) ... ready(port) ... end
---
--- An error before `ready` is raised here, unchanged, and does not fail the scope. A
--- task that returns without having called it raises `structure` here. If the caller
--- is cancelled while it waits, so is the task.
---@async
---@param fn async fun(ready: fun(value: any), ...: any)
---@param ... any  Passed to `fn`.
---@return any value
function Scope:start(fn, ...)
  expect.callable("scope:start", fn)
  local started = deferred.new()
  local starting <close> = setmetatable({}, Starting)
  function starting.ready(value)
    if not started:resolve(value) then errors.usage("scope:start: ready was called twice") end
    starting.is_over = true
  end
  starting.task = self:spawn(run, starting, fn, ...)

  local is_ready, value, err = select {
    started:on_await(function(value) return true, value end),
    starting.task:on_await(function(ok, err) return false, ok, err end),
  }
  starting.is_over = true
  if is_ready then return value end
  if value == false then error(err, 0) end
  error(errors.new("structure", "scope:start: the task ended without calling ready",
    { op = "scope:start" }), 0)
end

--- Start an actor: a task with state of its own, which others reach by messages. It handles
--- one after the other, so its methods need no locks.
---
---     local counter = s:actor {
---       count = 0,
---       add = function(self, n) self.count = self.count + n end,
---       get = function(self) return self.count end,
---     }
---     counter:tell("add", 2)
---     print(counter:ask("get"))
---
--- The definition holds its state and its methods, and becomes the `self` of the methods.
--- The mailbox holds 64 messages (`capacity`); whoever sends more waits. When the scope is
--- left, its actors end after all other tasks, the youngest first: the mailbox closes and
--- what is in it is still handled. A scope that is cancelled cancels its actors. A method
--- that raises ends the actor and fails the scope; with `guard = true` only if no asker got
--- the error.
---@param opts? neap.actor.Options
---@param definition table
---@return neap.Actor
function Scope:actor(opts, definition)
  return require("neap.actor").open(self, opts, definition)
end

return scope
