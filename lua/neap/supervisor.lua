--- A scope in which the failure of a task is no failure of the others.
--- It is heard of, and with `restart` the task is started again.

local backoff = require("neap.backoff")
local deferred = require("neap.core.deferred")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local host = require("neap.core.host")
local options = require("neap.options")
local scopes = require("neap.core.scope")
local tasks = require("neap.core.task")
local text = require("neap.core.text")
local time = require("neap.core.time")

---@class neap.supervisor.Options
---@field name? string
---@field deadline? neap.Duration
---@field deadline_at? number
---@field on_error? fun(err: any, task: neap.Task)  Hears of each failure for which nobody
---waited when it happened; with `restart`, of every failure. It cannot wait; what it raises
---fails the supervisor. By default a failure is written to the log.
---@field restart? neap.supervisor.Restart

---@class neap.supervisor.Restart
---@field strategy? "one_for_one"|"one_for_all"|"rest_for_one"  Which tasks are started again
---with one that failed: none, all, or those spawned after it. `"one_for_one"`.
---@field intensity? integer  Failures of all tasks together within `period` that it stands: 5.
---@field period? neap.Duration  10 s.
---@field shutdown? neap.Duration  How long a task that is stopped in order to be started again
---may take to end: 5 s. One that takes longer fails the supervisor.

local OPTIONS = { "name", "deadline", "deadline_at", "on_error", "restart" }
local RESTART_OPTIONS = { "strategy", "intensity", "period", "shutdown" }

-- After a first failure a task is started again at once; then it waits.
local DELAYS = { base = 0.010, factor = 2, max = 1, jitter = "none" }

local supervisor = {
  --- How many failures nobody has heard of, since the host was started.
  unheard = 0,
}

local function log(err, task)
  supervisor.unheard = supervisor.unheard + 1
  io.stderr:write(("neap: %s failed: %s\n"):format(tostring(task), errors.describe(err)))
  local traceback = host.traceback(err)
  if traceback then io.stderr:write(traceback, "\n") end
end

-- Tasks that are started again -------------------------------------------------------
--
-- What is spawned is a keeper: it runs the body in a scope of its own, anew after each
-- failure, and ends as the last run does.
--
--   RUNNING --raises--> (stops others) --> delay --> RUNNING
--      |  ^
--      |  +------------- released ------------- STOPPED
--      +-- another one of its group has failed ----^

---@class neap.supervisor.Keeper
---@field task neap.Task
---@field run? neap.Scope  Of the present run.
---@field failures integer  In a row.
---@field failed_at number
---@field stopped? table  The restart that has stopped it: `release` ends that.
---@field halted? neap.Deferred  Resolved when the run that was stopped has ended.

---@class neap.supervisor.Plan
---@field strategy string
---@field intensity integer
---@field period number
---@field shutdown number
---@field on_error function
---@field keepers neap.supervisor.Keeper[]  In the order in which they were spawned.
---@field failures number[]  When, within the last period.
---@field restart neap.Deferred|false  While several are started again: resolved when they are.
---@field has_failed boolean
---@field fatal any  What the supervisor fails with, if it does.
local Plan = {}
Plan.__index = Plan

local STRATEGIES = { "one_for_one", "one_for_all", "rest_for_one" }

local function is_strategy(name)
  for _, strategy in ipairs(STRATEGIES) do
    if name == strategy then return true end
  end
  return false
end

local function new_plan(restart, on_error)
  options.check("neap.supervisor: restart", restart, RESTART_OPTIONS)
  local plan = setmetatable({
    strategy = restart.strategy or "one_for_one",
    intensity = restart.intensity or 5,
    period = text.duration(restart.period or 10, "neap.supervisor: restart: period"),
    shutdown = text.duration(restart.shutdown or 5, "neap.supervisor: restart: shutdown"),
    on_error = on_error,
    keepers = {},
    failures = {},
    restart = false,
    has_failed = false,
    fatal = false,
  }, Plan)
  if not is_strategy(plan.strategy) then
    errors.usage(("neap.supervisor: restart: unknown strategy %q%s"):format(tostring(plan.strategy),
      options.hint(tostring(plan.strategy), STRATEGIES)))
  end
  expect.count("neap.supervisor: restart: intensity", plan.intensity, 0)
  return plan
end

-- End the supervisor: the hook raises what a keeper raises then.
function Plan:fail(err)
  if not self.has_failed then
    self.has_failed = true
    self.fatal = err
  end
  error(err, 0)
end

-- Hear of a failure and count it; how long to wait before the next run.
function Plan:note(keeper, err)
  local now = time.monotonic()
  local heard, why = pcall(host.call_at_once, self.on_error, err, keeper.task)
  if not heard then self:fail(why) end

  local recent = {}
  for _, at in ipairs(self.failures) do
    if now - at < self.period then recent[#recent + 1] = at end
  end
  recent[#recent + 1] = now
  self.failures = recent
  if #recent > self.intensity then
    self:fail(errors.new("failed", ("neap.supervisor: %d failures within %gs are more than it stands "
      .. "(intensity = %d), the last one of %s: %s"):format(#recent, self.period, self.intensity,
      tostring(keeper.task), errors.describe(err)), { op = "neap.supervisor", cause = err }))
  end

  if now - keeper.failed_at >= self.period then keeper.failures = 0 end
  keeper.failures = keeper.failures + 1
  keeper.failed_at = now
  return keeper.failures == 1 and 0 or backoff.delay(DELAYS, keeper.failures - 1)
end

-- Which others are stopped and started again with `keeper`: those that run, and those
-- that are about to since a restart of their own is over.
function Plan:group(keeper)
  local group, is_after = {}, self.strategy == "one_for_all"
  for _, other in ipairs(self.keepers) do
    if other == keeper then
      is_after = true
    elseif is_after and (other.run or other.stopped) and self.strategy ~= "one_for_one" then
      group[#group + 1] = other
    end
  end
  return group
end

-- Stop what still runs of a group, and wait until it has ended.
function Plan:stop(group, restart)
  for _, other in ipairs(group) do
    other.stopped = restart
    if other.run then
      other.halted = deferred.new()
      other.run:cancel("it is started again, for another one has failed")
    end
  end
  for _, other in ipairs(group) do
    local halted, late = other.halted, nil
    if halted then late = select(2, scopes.timeout_or(self.shutdown, halted.await, halted)) end
    if late then
      self:fail(errors.new("failed", ("neap.supervisor: %s was stopped in order to be started again, and "
        .. "did not end within %gs (shutdown)"):format(tostring(other.task), self.shutdown),
        { op = "neap.supervisor" }))
    end
  end
end

local Release = { __close = function(release)
  release.plan.restart = false
  release.done:resolve()
end }

-- The keeper's run has failed: wait until it is time for the next one.
function Plan:recover(keeper, err)
  local delay = self:note(keeper, err)
  if self.strategy == "one_for_one" then return time.sleep(delay) end

  while self.restart and not keeper.stopped do self.restart:await() end
  if keeper.stopped then return end
  local restart = deferred.new()
  self.restart = restart
  local _ <close> = setmetatable({ plan = self, done = restart }, Release)
  self:stop(self:group(keeper), restart)
  time.sleep(delay)
end

-- What a supervised task runs instead of its body.
function Plan:keep(fn, ...)
  local keeper = { task = tasks.current(), failures = 0, failed_at = -math.huge }
  local place = #self.keepers + 1
  while place > 1 and self.keepers[place - 1].task.id > keeper.task.id do place = place - 1 end
  table.insert(self.keepers, place, keeper)
  local _ <close> = setmetatable({}, { __close = function()
    for i, other in ipairs(self.keepers) do
      if other == keeper then table.remove(self.keepers, i) end
    end
    if keeper.halted then keeper.halted:resolve() end
  end })

  local function body(run, ...)
    keeper.run = run
    return fn(...)
  end
  while true do
    local outcome = table.pack(pcall(scopes.open, body, ...))
    keeper.run = nil
    if keeper.halted then keeper.halted:resolve() end
    if outcome[1] and not keeper.stopped then
      return table.unpack(outcome, 2, outcome.n)
    end
    if not outcome[1] then
      if tasks.is_given(keeper.task) then error(outcome[2], 0) end
      self:recover(keeper, outcome[2])
    end
    while keeper.stopped do
      local restart = keeper.stopped
      restart:await()
      if keeper.stopped == restart then keeper.stopped, keeper.halted = nil, nil end
    end
  end
end

-- A keeper has ended, `ok` as the last run did. What it raises is not the body's, unless
-- somebody has that already: the supervisor cannot go on as it should.
function Plan:conclude(ok, ...)
  if ok then return ... end
  if tasks.is_given(tasks.current()) then error((...), 0) end
  self:fail((...))
end

--- Open a supervisor: a scope in which every task is guarded. In the block form it is
--- a closable value; in the function form `fn(s, ...)` is called and what it returns is
--- returned when the tasks have ended.
---
---     neap.supervisor({ restart = { strategy = "one_for_one" } }, function(s)
---       s:spawn({ name = "poller" }, poll, url)
---     end)
---
--- A failure for which nobody waits goes to `on_error`. With `restart` a task that
--- raises is started again, one that returned or was cancelled is not: at once, and if
--- it fails again after a delay that doubles from 10 ms to 1 s; a `period` without a
--- failure of its own begins that anew. More failures than `intensity` within `period`
--- end the supervisor with an error of kind `failed`, the last failure as its `cause`.
--- `await` of a task waits for its last run.
--- By itself no checkpoint.
---@async
---@overload fun(fn: async fun(s: neap.Scope, ...): ...): ...
---@param opts? neap.supervisor.Options
---@param fn? async fun(s: neap.Scope, ...): ...
---@param ... any  Passed to `fn`.
---@return any ...
function supervisor.supervisor(opts, fn, ...)
  if expect.is_callable(opts) then return supervisor.supervisor(nil, opts, fn, ...) end
  opts = options.check("neap.supervisor", opts, OPTIONS)
  local on_error = opts.on_error or log
  local plan = opts.restart and new_plan(opts.restart, on_error)
  local hook = {}

  if plan then
    function hook.wrap(...) return plan:conclude(pcall(plan.keep, plan, ...)) end
    function hook.on_done(task)
      if task:status() ~= "failed" or tasks.is_given(task) then return end
      if plan.has_failed then error(plan.fatal, 0) end
      on_error(select(2, task:result()), task)      -- a keeper that was killed
    end
  else
    function hook.on_done(task)
      if task:status() == "failed" and not tasks.is_awaited(task) then
        on_error(select(2, task:result()), task)
      end
    end
  end
  return scopes.open_with({
    op = "neap.supervisor", name = opts.name, deadline = opts.deadline, deadline_at = opts.deadline_at,
    guards = true, hook = hook,
  }, fn, ...)
end

return supervisor
