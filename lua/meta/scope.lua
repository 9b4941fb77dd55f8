---@meta neap.core.scope

---@class neap.scope.Options
---@field name? string  For people.
---@field deadline? neap.Duration  From the call; behaves as `neap.timeout`.
---@field deadline_at? number  The same as an instant: seconds since the epoch.
---@field policy? neap.scope.Policy

--- Decides when a scope has seen enough. Its functions cannot wait.
---@class neap.scope.Policy
---@field on_done? fun(task: neap.Task): boolean?  Told of each task that returned or raised. Returns
---true to end the scope now; a failure fails the scope only if it raises.
---@field result? fun(): any ...  What the function form returns.
---@field on_timeout? fun(): any ...  What it returns when the scope's deadline has passed.

---@class neap.spawn.Options
---@field name? string  For people.
---@field guard? boolean  Its failure belongs to whoever awaits it.
---@field lazy? boolean  It starts when somebody asks for it.

--- A block that does not end before its tasks have ended. See `neap help scopes`.
---@class neap.core.Scope
---@field failures any[]  All errors of its tasks and its body until now, in the order in which they
---happened: a copy for each look.
---@field name? string
---@field deadline_at? number  Its own deadline: seconds since the epoch.
local Scope = {}

--- Start a task that runs `fn(...)`. It begins when the running task waits.
--- In a cancelled scope the task never runs and is `cancelled`. Raises `usage` once the
--- scope has been left and its last task has ended.
---@param opts? neap.spawn.Options
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return neap.Task
---@overload fun(self: neap.core.Scope, fn: async fun(...): ..., ...: any): neap.Task
function Scope:spawn(opts, fn, ...) end

--- Cancel the scope: its body and all tasks. The first reason stays.
---@param reason? string  For people.
---@return boolean first  Was it open and not cancelled yet?
function Scope:cancel(reason) end

--- Wait until no started task is left. The scope stays open; nobody's failure is awaited by it.
---@async
function Scope:join() end

--- Leave the block form by hand. Harmless when that has been done. Raises `usage` where Lua
--- cannot suspend: in a comparator, a callback of `gsub`, a finaliser.
--- By itself no checkpoint.
---@async
function Scope:close() end

--- Set its own deadline to `d` from now. An earlier one outside still holds.
---@param d neap.Duration
function Scope:extend(d) end

--- What the `result` function of its policy returns.
---@return any ...
function Scope:result() end

local scope = {}

scope.methods = Scope

--- Open a scope. In the block form it is a closable value; in the function form
--- `fn(s, ...)` is called, and what it returns is returned when all tasks have ended.
---
---     local s <close> = neap.scope()
---     local total = neap.scope({ deadline = "2s" }, function(s) ... end)
---
--- An error of a task or of the body is raised, unchanged; a passed deadline raises kind
--- `timeout`. Cut off by the scope's own `cancel`, the function form returns nil and
--- "cancelled".
--- By itself no checkpoint.
---@async
---@param opts? neap.scope.Options
---@param fn? async fun(s: neap.Scope, ...): ...
---@param ... any  Passed to `fn`.
---@return any ...  The scope, or what `fn` returned.
---@overload fun(fn: async fun(s: neap.Scope, ...): ..., ...: any): ...
function scope.open(opts, fn, ...) end

--- What the library itself opens: a scope with more options. `op` is the function that the
--- script has called, `guards` makes every task guarded, `hook` is told of each task's end: a
--- function, or `on_done` of a table, whose `wrap` runs what is spawned.
---@async
---@param opts table
---@param fn? async fun(s: neap.Scope, ...): ...
---@param ... any  Passed to `fn`.
---@return any ...
function scope.open_with(opts, fn, ...) end

--- Call `fn(...)`; raise an error of kind `timeout` when it has not returned within `d`.
--- Inside, that is a cancellation whose reason is of kind `deadline`.
--- By itself no checkpoint.
---@async
---@param d neap.Duration
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return any ...  What `fn` returned.
function scope.timeout(d, fn, ...) end

--- As `neap.timeout`, but gives nil and "timeout" when the time is over.
--- By itself no checkpoint.
---@async
---@param d neap.Duration
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return any ...  What `fn` returned, or nil and "timeout".
function scope.timeout_or(d, fn, ...) end

--- As `neap.timeout`, for what has a timeout among its options: the error names that.
---@async
---@param what string  The operation as a script writes it, then what it is done to: `neap.step "charge"`.
---@param d neap.Duration
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return any ...
function scope.timeout_of(what, d, fn, ...) end

--- Call `fn(...)` unreached by any cancellation outside, for at most `d`: cleanup that has
--- to wait. A cancellation that is pending at its end is raised then.
--- By itself no checkpoint.
---@async
---@param d neap.Duration  Finite.
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return any ...  What `fn` returned.
function scope.shield(d, fn, ...) end

--- A shield without a deadline: for the undos of a saga.
---@async
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return any ...
function scope.mask(fn, ...) end

--- Note what is to blame when an outer scope is left before this one: it is the cause of the
--- error that says so. Leaving this one does not raise it.
---@param s neap.core.Scope
---@param err any
function scope.blame(s, err) end

return scope
