--- Blocks that do not end before the tasks in them have ended.

local deferred = require("neap.core.deferred")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local scope = require("neap.core.scope")
local select = require("neap.select").select
local tasks = require("neap.core.task")

---@class neap.Scope: neap.core.Scope
local Scope = scope.methods

-- A start that is over without its task being ready: left by a cancellation.
local Starting = {
  __close = function(starting)
    if not starting.is_over and starting.task then starting.task:cancel() end
  end,
}

-- What the task runs; a supervisor may run it again, with nobody left who waits. Until it
-- is ready its error belongs to the one who started it; afterwards, or if that one was
-- cancelled, it is the task's own.
local function run(starting, fn, ...)
  local is_ready = false
  local function ready(value)
    if is_ready then errors.usage("scope:start: ready was called twice") end
    is_ready = true
    if starting.is_over then return end
    starting.is_over = true
    if not starting.started:resolve(value) then starting.task:cancel() end
  end

  local outcome = table.pack(xpcall(fn, errors.handler, ready, ...))
  if outcome[1] then return table.unpack(outcome, 2, outcome.n) end
  local err = outcome[2]
  if err == nil then err = errors.new("error", "nil was raised") end
  if not starting.is_over and starting.started:reject(err) then
    starting.is_over = true
    tasks.set_given(starting.task)
  end
  error(err, 0)
end

--- Start a task that has something to prepare, and wait until it is ready.
--- Calls `fn(ready, ...)` in a new task, waits until it calls `ready(value)`, and
--- returns that value; the task then goes on as any other of the scope.
---
---     local port = s:start(serve)         -- function serve(ready) ... ready(port) ... end
---
--- An error before `ready` is raised here, unchanged, and does not fail the scope. A
--- task that returns without having called it raises `structure` here. If the caller
--- is cancelled while it waits, so is the task, and its error is its own from then on.
--- When a supervisor starts the task again, `ready` has no effect.
---@async
---@param fn async fun(ready: fun(value: any), ...: any)
---@param ... any  Passed to `fn`.
---@return any value
function Scope:start(fn, ...)
  expect.callable("scope:start", fn)
  local started = deferred.new()
  deferred.claim(started)
  local starting <close> = setmetatable({ started = started, is_over = false, task = false }, Starting)
  starting.task = self:spawn(run, starting, fn, ...)

  local is_ready, value = select {
    started:on_await(function(value) return true, value end),
    starting.task:on_await(function() return false end),
  }
  if is_ready then return value end
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
