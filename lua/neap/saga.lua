--- Steps that are undone together when what they belong to fails.
--- A saga is in memory: it outlives no crash.
---
---     neap.saga(function()
---       local stock = neap.step("reserve", { run = reserve, undo = release })
---       neap.step("charge", { run = charge, undo = refund, retry = { attempts = 3 } })
---       if not approved() then neap.reject("not_approved") end
---     end)

local context = require("neap.core.context")
local core = require("neap.core.saga")
local errors = require("neap.core.error")
local event = require("neap.core.event")
local expect = require("neap.expect")
local raw = require("neap.core.host").raw
local scopes = require("neap.core.scope")
local select = require("neap.select").select
local steps = require("neap.step")
local tasks = require("neap.core.task")
local time = require("neap.core.time")

local saga = {
  reject = steps.reject,
  retry_after = steps.retry_after,
}

-- Under this key the context holds the saga that steps belong to.
local SAGA = {}

-- What can be undone is an entry; entries stand in lists, in the order of their numbers,
-- and are undone from the last to the first:
--
--   list of the task that runs the saga
--     step 4
--     tasks of scope 5 ---> list of a task:  step 6, step 9      side by side
--     step 7                list of a task:  step 8
--     inner saga 10 ------> list ...

---@class neap.saga.Entry
---@field number integer  When it began.
---@field undo async fun(self: neap.saga.Entry, failures: table[])

-- Before the first one with a higher number.
local function insert(list, entry)
  local place = #list + 1
  while place > 1 and list[place - 1].number > entry.number do place = place - 1 end
  table.insert(list, place, entry)
end

-- Lack of memory passes, and must not cost an undo: `fn` is called until it ends in
-- another way. What it had done by then it must not do again. So that nothing is allocated
-- where an undo could be lost, fields that are set there are made with their table.
local PAUSE = 0.01

local function insist(fn, ...)
  while true do
    local ok, result = raw.pcall(fn, ...)
    if ok or not steps.is_memory(result) then return ok, result end
    collectgarbage()
    raw.pcall(time.sleep, PAUSE)
  end
end

local function undo_list(list, failures)
  for i = #list, 1, -1 do
    local entry = list[i]
    local ok, err = insist(entry.undo, entry, failures)
    if not ok then error(err, 0) end
  end
end

-- Steps ------------------------------------------------------------------------------------
--
--   RUNNING --> done | unknown     to be undone
--           \-> failed             nothing of it is undone

---@class neap.saga.Step: neap.saga.Entry
---@field spec neap.step.Spec
---@field key string
---@field state neap.step.State|false  false while it runs.
---@field result any
---@field undo_context neap.step.Context|false  One for all attempts of the undo.
---@field is_undone boolean
---@field ended neap.core.Event|false  Of a saga that fails while it runs.
---@field task neap.Task  By which it runs.
local Step = {}
Step.__index = Step

-- Statuses of a task that has ended.
local OVER = { done = true, failed = true, cancelled = true }

local function new_step(spec)
  return setmetatable({ spec = spec, number = core.number(), key = time.uuid(), state = false, result = false,
    undo_context = false, is_undone = false, ended = false, task = tasks.current() }, Step)
end

-- From the moment it is an entry of `owner` whoever calls this concludes it.
function Step:attempt(owner, is_over, cx)
  local spec = self.spec
  if spec.undo then owner:add(self) end
  return steps.attempt(spec, spec.retry, is_over, spec.run, cx)
end

-- Attempts have ended as `state`; not `ok`: for lack of memory, nobody knows how.
function Step:conclude(ok, state, ...)
  self.state = ok and state or "unknown"
  if self.state == "done" then self.result = (...) end
  if self.ended then self.ended:set() end
  if not ok then error(state, 0) end
  if state ~= "done" then error((...), 0) end
  time.check()
  return ...
end

-- Wait for the end of a step in a task that the saga's function did not wait for. A task
-- that is killed does not conclude its step.
function Step:await_end()
  self.ended = self.ended or event.new()
  local _, err = raw.pcall(select, { self.ended:on_wait(), self.task:on_await() })
  if self.state then return end
  if not OVER[self.task:status()] then error(err, 0) end
  self.state = "unknown"
end

function Step:undo(failures)
  if not self.state then self:await_end() end
  if self.state == "failed" or self.is_undone then return end

  local spec = self.spec
  self.undo_context = self.undo_context or steps.context(time.uuid(), self.key)
  local function undo(...)
    spec.undo(...)
    self.is_undone = true   -- whatever may fail on the way out
  end
  local function is_over() return self.is_undone end
  local result
  if self.state == "done" then result = self.result end
  local _, err = steps.attempt(spec, spec.undo_retry, is_over, undo, self.undo_context,
    result, self.state)
  if self.is_undone then return end
  failures[#failures + 1] = { step = spec.name, err = err }
  self.is_undone = true     -- as far as it can be
end

-- The tasks of a scope -----------------------------------------------------------------------

---@class neap.saga.Group: neap.saga.Entry
---@field lists neap.saga.Entry[][]
local Group = {}
Group.__index = Group

function Group:undo(failures)
  scopes.open(function(s)
    -- Masked from each other: one that has begun ends, if another one cannot.
    for _, list in ipairs(self.lists) do s:spawn(scopes.mask, undo_list, list, failures) end
  end)
end

-- Sagas ----------------------------------------------------------------------------------------

---@class neap.saga.Saga: neap.saga.Entry
---@field list neap.saga.Entry[]
---@field failures table[]  Of undos.
---@field defaults neap.step.Defaults  Of its steps.
---@field lists table<integer, neap.saga.Entry[]>  By the id of the task.
---@field groups table<integer, neap.saga.Group>  By the number of the scope.
---@field task integer  The id of the task that runs it.
---@field scope neap.Scope  What its function runs in.
---@field is_over boolean
---@field has_failed boolean
---@field has_pivoted boolean
local Saga = {}
Saga.__index = Saga

function Saga:undo(failures)
  undo_list(self.list, failures)
end

-- Forget all entries; those of scopes that are still open find their place again.
function Saga:clear()
  self.list, self.groups = {}, {}
  self.lists = { [self.task] = self.list }
end

-- The list of the task at `i` of a lineage. It stands in the group of the scope that the
-- task was spawned into, in the list of the task that opened the scope; if the scope
-- is none of the saga's, where the group's first step began.
function Saga:find(lineage, i)
  local task, number = lineage[i], lineage[i + 1]
  local list = self.lists[task]
  if list then return list end

  local group = number and self.groups[number]
  if not group then
    group = setmetatable({ lists = {} }, Group)
    if number and number > self.number then
      group.number = number
      insert(self:find(lineage, i + 2), group)
    else
      group.number = core.number()
      insert(self.list, group)
    end
    if number then self.groups[number] = group end
  end
  list = {}
  group.lists[#group.lists + 1] = list
  self.lists[task] = list
  return list
end

function Saga:add(entry)
  local list = self.lists[tasks.current().id] or self:find(core.lineage(), 1)
  insert(list, entry)
end

-- What is raised when undos failed: a person has to look at it, whatever the reason was.
local function undo_failure(failures, reason)
  local first, others = failures[1], { reason }
  for i = 2, #failures do others[#others + 1] = failures[i].err end
  return errors.new("failed", ("neap.saga: the undo of step %q failed: %s (undone because of: %s)"):format(
    first.step, errors.describe(first.err), errors.describe(reason)),
    { op = "neap.saga", cause = first.err, others = others })
end

function Saga:fail(reason)
  self.has_failed = true
  local failures = self.failures
  local ok, err = insist(scopes.mask, self.undo, self, failures)
  if not ok and not time.is_cancelled(err) then error(err, 0) end
  if #failures > 0 then
    local _, failure = insist(undo_failure, failures, reason)
    error(failure, 0)
  end
  error(reason, 0)
end

-- The saga's function has ended. Nothing is allocated between that and the undos.
function Saga:conclude(outer, ok, ...)
  self.is_over = true
  if not ok then self:fail((...)) end
  if outer and #self.list > 0 then
    local added, err = raw.pcall(outer.add, outer, self)
    if not added then self:fail(err) end
  end
  if self.has_pivoted then time.check() end
  return ...
end

--- Run `fn(...)` as a saga, and return what it returns. If it ends by an error or a
--- cancellation, the undos of its steps run first, and then that is raised.
---
--- Undone are steps that are done or may have been done (their outcome is unknown), in
--- the reverse of the order in which they began. The tasks of a scope are undone side by
--- side, at the place where the scope was opened. A saga inside of another one that
--- ended well is one of its steps. Undos are shielded from any further cancellation;
--- one that runs out of attempts does not keep the others from running, and then an
--- error of kind `failed` is raised, with the error of the undo as `cause`, and why the
--- saga failed first in `others`.
---
--- The options hold for the steps that do not say otherwise, also for those of sagas inside.
--- By itself no checkpoint.
---@async
---@generic R
---@param opts? neap.saga.Options  May be left out.
---@param fn async fun(...): R...
---@param ... any  Passed to `fn`.
---@return R ...
function saga.saga(opts, fn, ...)
  if expect.is_callable(opts) then return saga.saga(nil, opts, fn, ...) end
  if not expect.is_callable(fn) then
    errors.usage("neap.saga: function expected, got " .. type(fn == nil and type(opts) ~= "table" and opts or fn))
  end
  local outer = context.get(SAGA)
  local self = setmetatable({ number = core.number(), task = tasks.current().id, failures = {},
    is_over = false, has_failed = false, has_pivoted = false }, Saga)
  self.defaults = steps.defaults(opts, outer and outer.defaults)
  self:clear()
  return self:conclude(outer, raw.xpcall(scopes.open, errors.handler, function(s, ...)
    self.scope = s
    return context.with({ [SAGA] = self }, fn, ...)
  end, ...))
end

--- Run a step: something that acts on the outside world, under a name. Returns what
--- `run(cx)` returned.
---
--- An attempt that fails is tried again, as `retry` says; one that takes longer than
--- `timeout` fails. What the step raises in the end is an error object. It is then done
--- with `unknown` outcome, for it may have had its effect; only a rejection
--- (`neap.reject`) is known to have had none. `undo(cx, result, outcome)` reverses a
--- step whose outcome is `"done"` or `"unknown"` when its saga fails; in an unknown one
--- `result` is nil.
---
--- In memory `on_exhausted`, `reconcile`, `heartbeat`, `tx` and `limit` are checked and
--- have no effect; `once` means one attempt. Raises `usage` for a step inside the body of
--- another one, and for an undo outside of a saga.
---@async
---@overload fun(name: string, opts: neap.step.Options): ...
---@overload fun(name: string, run: async fun(cx: neap.step.Context): ...): ...
---@param name string
---@param opts neap.step.Options
---@param run async fun(cx: neap.step.Context): ...
---@return any ...
function saga.step(name, opts, run)
  local body, owner = context.get(steps.BODY), context.get(SAGA)
  local spec = steps.parse(name, opts, run, owner and owner.defaults)
  if body then
    errors.usage(("neap.step: %q is called inside of the step %q; a step is one act"):format(name, body))
  elseif spec.undo and not owner then
    errors.usage(("neap.step: %q has an undo, and stands outside of a saga: put neap.saga around it")
      :format(name))
  elseif spec.undo and owner.is_over then
    errors.usage(("neap.step: %q has an undo, but its saga has ended: its scope has to be opened inside "
      .. "of the saga"):format(name))
  end
  time.check()

  local entry = new_step(spec)
  local function is_over() return spec.undo ~= nil and owner.has_failed end
  return entry:conclude(raw.pcall(entry.attempt, entry, owner, is_over, steps.context(entry.key)))
end

--- From here on the only way is forward: the undos of all that its saga has done so far
--- are dropped, and no cancellation from outside reaches into the saga until it ends;
--- one that is pending then is raised then. Raises `usage` outside of a saga.
---@async
function saga.pivot()
  local owner = context.get(SAGA)
  if not owner or owner.is_over then
    errors.usage("neap.pivot: called outside of a saga")
  elseif context.get(steps.BODY) then
    errors.usage("neap.pivot: called inside of the body of a step")
  end
  time.check()
  owner:clear()
  owner.has_pivoted = true
  core.harden(owner.scope)
end

return saga
