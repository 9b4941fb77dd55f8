--- Random concurrent programs: tasks in scopes in tasks that use all primitives, cancel
--- each other and fail, drawn from a seed. What has to hold is watched on the way, and the
--- rest stands in the books (spec.neap.ledger).

local neap = require("neap")
local ledger = require("spec.neap.ledger")
local test = require("neap.test")

local try = neap.raw.pcall

---@class spec.World  What the tasks of one program share.
---@field books spec.Ledger
---@field trace string[]  What happened, in order.
local World = {}
World.__index = World

---@class spec.Actor  One task of a program, or the part of it inside of a scope.
---@field world spec.World
---@field name string
---@field random fun(n: integer): integer  From 1 to n: its own chance, whatever others do.
---@field depth integer
---@field record table?  The innermost scope that it opened.
---@field held table<any, true>  Locks that it is inside of.

-- A sequence of its own: what a task does shall not depend on who ran before it.
local function new_random(seed)
  local state = seed * 0x9E3779B97F4A7C15 + 1
  return function(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % n + 1
  end
end

local function new_world(random)
  local books = ledger.new()
  local world = setmetatable({ books = books, trace = {}, tasks = {}, scopes = {}, spawned = 0 }, World)
  local policies = { "wait", "wait", "wait", "drop_oldest", "drop_newest" }
  world.channels = {}
  for i = 1, 4 do
    local capacity = ({ 0, 1, 3, math.huge })[random(4)]
    local on_full = capacity == 0 and "wait" or policies[random(#policies)]
    world.channels[i] = books:channel({ capacity = capacity, on_full = on_full })
  end
  world.mutexes = { books:mutex(), books:mutex() }
  world.semaphores = { books:semaphore(1), books:semaphore(3) }
  world.rwlock = books:rwlock()
  world.deferred, world.event = neap.deferred(), neap.event()
  -- A counter that a mutex guards, and whoever waits for it to rise.
  world.monitor = { mutex = books:mutex(), count = 0 }
  world.monitor.rise = neap.condition(world.monitor.mutex.mutex)
  return world
end

function World:note(actor, what)
  self.trace[#self.trace + 1] = ("%.3f %s %s"):format(test.elapsed() * 1e3, actor.name, what)
end

local function pick(actor, list) return #list > 0 and list[actor.random(#list)] or nil end

local function milliseconds(actor, n) return actor.random(n) / 1000 end

local act   -- defined below: some of the steps

-- An error that a program raises on purpose.
local function is_planned(err) return type(err) == "table" and err.is_planned == true end

-- Neap's errors that such a program may meet.
local MET = { closed = true, timeout = true, cancelled = true }

--- Scopes and tasks -------------------------------------------------------------------------

-- The body of every task: it tells how it ended.
local function run(actor, entry)
  entry.has_run = true
  local ok, err = try(act, actor)
  if not ok then
    local cancelled = neap.is_cancelled(err)
    if not cancelled then
      entry.err = err
      if not entry.is_guarded then
        local raised = entry.record.raised
        raised[#raised + 1] = err
      end
      if not is_planned(err) and not MET[type(err) == "table" and err.kind] then
        actor.world.books:problem("%s raised %s", actor.name, tostring(err))
      end
    end
    actor.world:note(actor, cancelled and "cancelled" or "failed")
    error(err, 0)
  end
  actor.world:note(actor, "done")
  return entry
end

local function spawn(actor, record, lazy)
  local world = actor.world
  if world.spawned >= 80 then return end
  world.spawned = world.spawned + 1
  local entry = { record = record, is_guarded = actor.random(3) == 1 }
  local child = { world = world, name = actor.name .. "." .. world.spawned, depth = actor.depth + 1,
    random = new_random(actor.random(1 << 30)), held = {} }
  local ok, task = pcall(record.scope.spawn, record.scope,
    { name = child.name, guard = entry.is_guarded, lazy = lazy }, run, child, entry)
  if not ok then
    if task.kind ~= "usage" or not record.is_left then
      world.books:problem("spawn raised %s", tostring(task))
    end
    return
  end
  entry.task = task
  record.tasks[#record.tasks + 1] = entry
  world.tasks[#world.tasks + 1] = entry
end

local ENDED = { done = true, failed = true, cancelled = true }

-- All its tasks have ended, and its failures are what they and its body raised.
local function check_left(world, record, ok, err)
  local books, failures = world.books, record.scope.failures
  for _, entry in ipairs(record.tasks) do
    local status = entry.task:status()
    if not ENDED[status] then books:problem("a task is %s after its scope", status) end
    if entry.err ~= nil and status ~= "failed" then books:problem("a task that raised is %s", status) end
  end
  local raised, at = record.raised, 1
  for _, failure in ipairs(failures) do
    if rawequal(failure, raised[at]) then at = at + 1 end
  end
  if at <= #raised then books:problem("failure %d of %d is not there, or not in order", at, #raised) end
  if #raised > 0 and (ok or not rawequal(err, failures[1])) then
    books:problem("a scope with failures ended with %s, %s", tostring(ok), tostring(err))
  end
end

local function close_form(opts, fn)
  local s <close> = neap.scope(opts)
  return fn(s)
end

local function open_scope(actor)
  local world = actor.world
  local record = { tasks = {}, raised = {} }
  local inner = { world = world, name = actor.name, random = actor.random, held = actor.held,
    depth = actor.depth + 1, record = record }
  local form = actor.random(2) == 1 and neap.scope or close_form
  local ok, err = try(form, { name = actor.name }, function(s)
    record.scope = s
    world.scopes[#world.scopes + 1] = record
    local done, why = try(function()
      for _ = 1, actor.random(6) do spawn(inner, record, actor.random(4) == 1) end
      act(inner)
      if actor.random(6) == 1 then s:cancel("enough") end
    end)
    if not done then
      if not neap.is_cancelled(why) then record.raised[#record.raised + 1] = why end
      error(why, 0)
    end
  end)
  record.is_left = true
  if record.scope then check_left(world, record, ok, err) end
  if ok then return end
  -- Some errors are handled, and no cancellation ever.
  if neap.is_cancelled(err) or actor.random(3) == 1 then error(err, 0) end
end

local function await(actor)
  local entry = pick(actor, actor.world.tasks)
  if not entry or entry.task.name == actor.name then return end
  local books, task = actor.world.books, entry.task
  local how = actor.random(3)
  if how == 1 then
    task:join()
    if not ENDED[task:status()] then books:problem("joined a task that is %s", task:status()) end
    return
  elseif how == 2 then
    local ok, value = task:outcome()
    if ok ~= (task:status() == "done") then books:problem("outcome differs from status") end
    if not rawequal(value, ok and entry or entry.err or value) then books:problem("outcome differs") end
    return
  end
  local ok, value = try(task.await, task)
  if ok then
    if value ~= entry then books:problem("await returned something else") end
  elseif neap.is_cancelled(value) then
    error(value, 0)
  elseif task:status() == "cancelled" then
    if value.kind ~= "cancelled" then books:problem("await of a cancelled task raised %s", tostring(value)) end
  elseif not rawequal(value, entry.err) then
    books:problem("await raised %s", tostring(value))
  end
end

--- What else a task can do --------------------------------------------------------------------

-- `enter(book, ...)`, if that does not wait for the actor itself.
local function locked(actor, book, enter, ...)
  if actor.held[book] then return end
  actor.held[book] = true
  local _ <close> = setmetatable({}, { __close = function() actor.held[book] = nil end })
  return enter(book, ...)
end

local function sleep(actor)
  local ms = actor.random(5)
  local from = test.elapsed()
  neap.sleep(ms / 1000)
  local took = (test.elapsed() - from) * 1e6
  if math.floor(took + 0.5) ~= ms * 1000 then
    actor.world.books:problem("a sleep of %d ms took %.3f us", ms, took)
  end
end

-- What is done inside of a lock: others come meanwhile.
local function linger(actor)
  if actor.random(2) == 1 then sleep(actor) else neap.yield() end
  act(actor, 2)
end

local function select(actor)
  local world = actor.world
  local from, to = actor.random(4), actor.random(4)
  local mutex = pick(actor, world.mutexes)
  local arms = { fair = actor.random(2) == 1 }
  local ticket
  if actor.random(3) > 1 then arms[#arms + 1] = world.channels[from]:on_recv(actor) end
  if actor.random(3) > 1 and to ~= from then arms[#arms + 1] = world.channels[to]:on_send() end
  if actor.random(4) == 1 and not actor.held[mutex] then
    arms[#arms + 1], ticket = mutex:on_lock(linger, actor)
  end
  if actor.random(4) == 1 then arms[#arms + 1] = world.semaphores[2]:on_acquire(linger, actor) end
  if actor.random(4) == 1 then arms[#arms + 1] = world.deferred:on_await() end
  if actor.random(2) == 1 then arms[#arms + 1] = neap.after(milliseconds(actor, 4)) end
  if #arms == 0 or actor.random(5) == 1 then arms.default = function() end end
  local _ <close> = setmetatable({}, { __close = function()
    if ticket then mutex:withdraw(ticket) end
  end })
  if ticket then
    return locked(actor, mutex, function() neap.select(arms) end)
  end
  neap.select(arms)
end

-- Raise the counter, or wait until it has risen and lower it.
local function monitor(actor)
  local shared = actor.world.monitor
  local lowers = actor.random(2) == 1
  locked(actor, shared.mutex, shared.mutex.run, function()
    if lowers then
      while shared.count == 0 do shared.mutex:wait(shared.rise) end
      shared.count = shared.count - 1
    else
      sleep(actor)
      shared.count = shared.count + 1
      shared.rise:notify()
    end
    if shared.count < 0 then actor.world.books:problem("the counter fell below 0") end
  end)
end

local function cancel(actor)
  local world = actor.world
  if actor.random(2) == 1 then
    local entry = pick(actor, world.tasks)
    if entry then entry.task:cancel("as drawn") end
  else
    local record = pick(actor, world.scopes)
    if record and actor.random(3) == 1 then record.scope:cancel("as drawn") end
  end
end

-- A generator that waits between its values.
local function generate(actor)
  local generator = coroutine.wrap(function()
    for i = 1, actor.random(3) do
      sleep(actor)
      coroutine.yield(i)
      pick(actor, actor.world.channels):send()
      coroutine.yield(i)
    end
  end)
  for _ = 1, actor.random(6) do
    if not generator() then break end
  end
end

local function clean_up(actor)
  local _ <close> = neap.defer(function()
    neap.shield("2ms", neap.sleep, milliseconds(actor, 3))
  end)
  act(actor)
end

local function time_out(actor)
  local ms = actor.random(6)
  local from = test.elapsed()
  local ok, why = neap.timeout_or(ms / 1000, act, actor)
  if not ok and why == "timeout" and test.elapsed() - from < ms / 1000 - 1e-9 then
    actor.world.books:problem("a timeout of %d ms came early", ms)
  end
end

local STEPS = {
  send = function(actor) pick(actor, actor.world.channels):send() end,
  send_more = function(actor)
    local channel = pick(actor, actor.world.channels)
    for _ = 1, actor.random(4) do channel:send() end
  end,
  try_send = function(actor) pick(actor, actor.world.channels):try_send() end,
  recv = function(actor) pick(actor, actor.world.channels):recv(actor) end,
  recv_more = function(actor)
    local channel = pick(actor, actor.world.channels)
    for _ = 1, actor.random(4) do channel:recv(actor) end
  end,
  recv_within = function(actor)
    pick(actor, actor.world.channels):recv_within(actor, milliseconds(actor, 5))
  end,
  try_recv = function(actor) pick(actor, actor.world.channels):try_recv(actor) end,
  close = function(actor)
    local channel = pick(actor, actor.world.channels).channel
    if actor.random(8) == 1 then channel:close() end
    if actor.random(8) == 1 then channel:abort() end
  end,
  lock = function(actor)
    local mutex = pick(actor, actor.world.mutexes)
    locked(actor, mutex, mutex.run, linger, actor)
  end,
  acquire = function(actor)
    local semaphore = pick(actor, actor.world.semaphores)
    semaphore:run(actor.random(semaphore.slots), linger, actor)
  end,
  read = function(actor)
    local lock = actor.world.rwlock
    locked(actor, lock, lock.read, linger, actor)
  end,
  write = function(actor)
    local lock = actor.world.rwlock
    locked(actor, lock, lock.write, linger, actor)
  end,
  event = function(actor)
    local event = actor.world.event
    if actor.random(2) == 1 then event:set() else event:clear() end
    if actor.random(3) == 1 then event:wait() end
  end,
  deferred = function(actor)
    local deferred = actor.world.deferred
    if actor.random(3) == 1 then deferred:resolve(deferred) end
    if actor.random(3) == 1 and deferred:await() ~= deferred then
      actor.world.books:problem("a deferred has another value")
    end
  end,
  coroutine = function(actor) coroutine.wrap(act)(actor) end,
  shield = function(actor) neap.shield(milliseconds(actor, 5), act, actor) end,
  swallow = function(actor) try(act, actor) end,
  yield = neap.yield,
  lazy = function(actor)
    if actor.record then spawn(actor, actor.record, true) end
  end,
  start = function(actor)
    local entry = pick(actor, actor.world.tasks)
    if entry then entry.task:start() end
  end,
  spawn_outside = function(actor)
    local record = pick(actor, actor.world.scopes)
    if record then spawn(actor, record, false) end
  end,
  fail = function(actor)
    if actor.random(4) == 1 then error({ is_planned = true }, 0) end
  end,
  scope = open_scope, await = await, sleep = sleep, select = select, monitor = monitor,
  cancel = cancel, generate = generate, clean_up = clean_up, time_out = time_out,
}

local NAMES = {}
for name in pairs(STEPS) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)
-- What matters most comes more often.
for _, name in ipairs({ "scope", "scope", "send", "recv", "select", "select", "sleep",
  "lock", "lock", "lock", "acquire", "monitor", "monitor", "cancel" }) do
  NAMES[#NAMES + 1] = name
end
local NESTS = { scope = true, coroutine = true, shield = true, swallow = true, clean_up = true,
  time_out = true, lock = true, acquire = true, read = true, write = true, select = true }

-- Up to `most` steps, drawn.
function act(actor, most)
  for _ = 1, actor.random(most or 5) do
    local name = pick(actor, NAMES)
    if actor.depth < 6 or not NESTS[name] then
      actor.world:note(actor, name)
      actor.depth = actor.depth + 1
      local ok, err = try(STEPS[name], actor)
      actor.depth = actor.depth - 1
      if not ok then error(err, 0) end
    end
  end
end

-- Nothing waits for ever while this goes round.
local function pump(actor)
  local world = actor.world
  while true do
    neap.sleep("3ms")
    for _, channel in ipairs(world.channels) do
      if actor.random(2) == 1 then pcall(channel.try_recv, channel, actor) else channel:try_send() end
    end
    world.monitor.mutex:run(function()
      world.monitor.count = world.monitor.count + 1
      world.monitor.rise:notify_all()
    end)
    world.event:set()
    world.deferred:resolve(world.deferred)
  end
end

local stress = {}

--- Run the program of a seed to its end, and raise what was wrong with it.
---@async
---@param seed integer
---@return string trace  What happened.
function stress.run(seed)
  local random = new_random(seed)
  local world = new_world(random)
  local actor = { world = world, name = "0", random = random, depth = 0, held = {} }
  pcall(neap.timeout_or, "1s", neap.scope, function(s)
    s:spawn({ name = "pump" }, pump,
      { world = world, name = "pump", random = new_random(random(1 << 30)), depth = 0, held = {} })
    for _ = 1, 6 do pcall(neap.timeout_or, "30ms", open_scope, actor) end
    s:cancel()
  end)
  world.books:check_alone()
  world.books:check()
  return table.concat(world.trace, "\n")
end

return stress
