--- Wait for several things at once: all of them, the first, or enough of them.
--- Each join takes functions, which run as tasks of its own, and tasks of anybody. It
--- does not return before everything it started has ended; what has lost is
--- cancelled, also a task of another scope.

local errors = require("neap.core.error")
local expect = require("neap.expect")
local lists = require("neap.lists")
local options = require("neap.options")
local scopes = require("neap.core.scope")
local time = require("neap.core.time")

---@alias neap.Joinable neap.Task|async fun(): any

local join = {}

local function is_task(value)
  return getmetatable(value) == "neap.task"
end

-- The tasks in the list that somebody else has spawned.
local function check_list(what, list)
  lists.check(what, list, "list of functions and tasks")
  local foreign = {}
  for i = 1, #list do
    if is_task(list[i]) then
      foreign[#foreign + 1] = list[i]
    elseif not expect.is_callable(list[i]) then
      errors.usage(("%s: element %d: function or task expected, got %s")
        :format(what, i, type(list[i])))
    end
  end
  return foreign
end

-- One task of the join's scope for each of the list: it runs a function, or waits
-- for somebody else's task.
local function spawn_all(s, list)
  local tasks = {}
  for i = 1, #list do
    if is_task(list[i]) then
      tasks[i] = s:spawn(list[i].await, list[i])
    else
      tasks[i] = s:spawn(list[i])
    end
  end
  return tasks
end

local function cancel_all(tasks)
  for _, task in ipairs(tasks) do task:cancel("the join was decided without it") end
end

local function join_all(tasks)
  for _, task in ipairs(tasks) do task:join() end
end

-- Run the list until `decide(i, ok, value)`, told of each end, returns true or all
-- have ended; then return what `result()` returns.
local function compete(what, list, foreign, decide, result)
  time.checkpoint(what)
  local places, decided = {}, false

  local ended, value = pcall(scopes.open, { policy = {
    on_done = function(task)
      if decided then return false end
      decided = decide(places[task], task:result())
      if decided then cancel_all(foreign) end
      return decided
    end,
    result = function()
      if decided then join_all(foreign) end
      return result()
    end,
  } }, function(s)
    for i, task in ipairs(spawn_all(s, list)) do places[task] = i end
  end)
  if ended then return value end
  if decided then
    cancel_all(foreign) -- as far as on_done did not come, for lack of memory
    join_all(foreign)
  end
  error(value, 0)
end

-- An error as it can stand in a list.
local function listed(err)
  if err == nil then return errors.new("error", "nil was raised") end
  return err
end

-- What any and quorum raise: `errs` holds an error for each place that failed.
local function failure(what, errs, count)
  local others = {}
  for i = 1, count do others[#others + 1] = errs[i] end
  return errors.new("failed", ("%s: %d of %d failed, the first of them: %s")
    :format(what, #others, count, errors.describe(others[1])), { op = what, others = others })
end

--- Run all, and return the first value of each in the order given.
--- The first error cancels the rest and is raised; so is the cancellation of a task
--- of somebody else, as an ordinary error of kind `cancelled`. `neap.all {}` returns
--- nothing.
---@async
---@param list neap.Joinable[]
---@return any ...
function join.all(list)
  local foreign = check_list("neap.all", list)
  time.checkpoint("neap.all")
  local function on_done(task)
    if task:status() == "failed" then cancel_all(foreign) end
  end

  local ok, tasks = pcall(scopes.open_with, { hook = on_done }, function(s) return spawn_all(s, list) end)
  if not ok then
    cancel_all(foreign) -- as far as on_done did not come, for lack of memory
    join_all(foreign)
    error(tasks, 0)
  end
  local values, count = {}, #tasks
  for i = 1, count do values[i] = select(2, tasks[i]:result()) end
  return table.unpack(values, 1, count)
end

--- Run all until one succeeds, and return its first value.
--- If every one fails, raises an error of kind `failed` with all errors in `others`,
--- in the order given. `neap.any {}` raises `usage`.
---@async
---@param list neap.Joinable[]
---@return any value
function join.any(list)
  local foreign = check_list("neap.any", list)
  if #list == 0 then errors.usage("neap.any: of nothing, nothing can succeed") end
  local errs, failed, value = {}, 0, nil

  local function decide(i, ok, outcome)
    if ok then
      value = outcome
      return true
    end
    errs[i] = listed(outcome)
    failed = failed + 1
    return false
  end
  local function result()
    if failed == #list then error(failure("neap.any", errs, #list), 0) end
    return value
  end
  return compete("neap.any", list, foreign, decide, result)
end

--- Run all until one ends, and return its first value or raise its error.
--- `neap.race {}` raises `usage`.
---@async
---@param list neap.Joinable[]
---@return any value
function join.race(list)
  local foreign = check_list("neap.race", list)
  if #list == 0 then errors.usage("neap.race: of nothing, nothing can end") end
  local success, outcome

  local function decide(_, ok, value)
    success, outcome = ok, value
    return true
  end
  local function result()
    if not success then error(outcome, 0) end
    return outcome
  end
  return compete("neap.race", list, foreign, decide, result)
end

--- Run all until `count` have succeeded, and return a list of their first values, in
--- the order in which they were given. The rest is cancelled.
--- When so many have failed that it cannot be reached, raises an error of kind
--- `failed` with the errors so far in `others`. `neap.quorum(0, list)` runs nothing
--- and returns an empty list; a count beyond the list raises `usage`.
---@async
---@param count integer
---@param list neap.Joinable[]
---@return any[] values
function join.quorum(count, list)
  expect.count("neap.quorum: how many must succeed", count, 0)
  local foreign = check_list("neap.quorum", list)
  if count > #list then
    errors.usage(("neap.quorum: %d of %d can never succeed"):format(count, #list))
  elseif count == 0 then
    time.checkpoint("neap.quorum")
    return {}
  end

  local errs, failed = {}, 0
  local values, places = {}, {}

  local function decide(i, ok, outcome)
    if ok then
      places[#places + 1] = i
      values[i] = outcome
    else
      errs[i] = listed(outcome)
      failed = failed + 1
    end
    return #places == count or failed > #list - count
  end
  local function result()
    if #places < count then error(failure("neap.quorum", errs, #list), 0) end
    table.sort(places)
    local found = {}
    for n, i in ipairs(places) do found[n] = values[i] end
    return found
  end
  return compete("neap.quorum", list, foreign, decide, result)
end

---@class neap.Settled
---@field ok boolean
---@field value? any  What it returned first, if it is ok.
---@field err? any  What it raised, if not.

--- Run all to their ends and tell how each ended, in the order given. No failure is
--- raised.
---@async
---@param list neap.Joinable[]
---@return neap.Settled[]
function join.settle(list)
  check_list("neap.settle", list)
  time.checkpoint("neap.settle")
  return scopes.open_with({ guards = true }, function(s)
    local settled = {}
    for i, task in ipairs(spawn_all(s, list)) do
      local ok, outcome = task:outcome()
      if ok then
        settled[i] = { ok = true, value = outcome }
      else
        settled[i] = { ok = false, err = outcome }
      end
    end
    return settled
  end)
end

---@class neap.map.Options
---@field limit? integer|number  How many run at once; all by default.

local MAP_OPTIONS = { "limit" }

--- Call `fn(item)` for each item of a list, several at once, and return a list of the
--- first values in the order of the items. The first error cancels the rest and is
--- raised; items not begun are then never begun.
---@async
---@generic T, R
---@param list T[]
---@param fn async fun(item: T): R
---@param opts? neap.map.Options
---@return R[]
function join.map(list, fn, opts)
  opts = options.check("neap.map", opts, MAP_OPTIONS)
  local limit = expect.bound("neap.map: limit", opts.limit or math.huge)
  lists.check("neap.map", list)
  expect.callable("neap.map", fn)
  time.checkpoint("neap.map")

  local count, begun, values = #list, 0, {}
  local function work()
    while begun < count do
      begun = begun + 1
      local i = begun
      values[i] = fn(list[i])
      time.check()
    end
  end
  scopes.open(function(s)
    for _ = 1, math.min(limit, count) do s:spawn(work) end
  end)
  return values
end

return join
