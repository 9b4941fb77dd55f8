--- The public library: `local neap = require "neap"`.

local core = {
  coroutine = require("neap.core.coroutine"),
  host = require("neap.core.host"),
  scope = require("neap.scope"),
  time = require("neap.core.time"),
}
local context = require("neap.context")
local errors = require("neap.error")

local neap = {
  scope = core.scope.open,
  timeout = core.scope.timeout,
  timeout_or = core.scope.timeout_or,
  shield = core.scope.shield,
  try = core.coroutine.try,
  with = context.with,
  context = context.context,
  error = errors.new,
  is_cancelled = errors.is_cancelled,
  cancelled = errors.cancelled,
  sleep = core.time.sleep,
  yield = core.time.yield,
  check = core.time.check,
  now = core.time.now,
  monotonic = core.time.monotonic,
  remaining = core.time.remaining,
  random = core.time.random,
  uuid = core.time.uuid,
  is_tty = core.host.is_tty,
  raw = core.host.raw,
}

--- A supervisor above the main scope: work that must outlive a request is spawned there.
--- When the main function has returned, it is joined; when the main scope ended by an error,
--- it is cancelled after the grace (`neap run --grace`, 10 s).
---@type neap.Scope
neap.app = nil      -- set by whoever runs the script

-- What is loaded when it is first asked for, so that a script starts in no time:
-- the module that has it, and what it is called there; without a name, the module.
local LAZY = {
  args = { "neap.args" },
  json = { "neap.json" },
  fs = { "neap.fs" },
  process = { "neap.process" },
  stdin = { "neap.stdin" },
  tasks = { "neap.program", "tasks" },
  main = { "neap.program", "main" },
  exit = { "neap.program", "exit" },
  signals = { "neap.program", "signals" },
  semaphore = { "neap.semaphore", "new" },
  mutex = { "neap.mutex", "new" },
  rwlock = { "neap.rwlock", "new" },
  event = { "neap.event", "new" },
  condition = { "neap.condition", "new" },
  latch = { "neap.latch", "new" },
  barrier = { "neap.barrier", "new" },
  channel = { "neap.channel", "new" },
  broadcast = { "neap.broadcast", "new" },
  state = { "neap.state", "new" },
  select = { "neap.select", "select" },
  after = { "neap.select", "after" },
  deferred = { "neap.deferred", "new" },
  suspend = { "neap.deferred", "suspend" },
  all = { "neap.join", "all" },
  any = { "neap.join", "any" },
  race = { "neap.join", "race" },
  quorum = { "neap.join", "quorum" },
  settle = { "neap.join", "settle" },
  map = { "neap.join", "map" },
  supervisor = { "neap.supervisor", "supervisor" },
  saga = { "neap.saga", "saga" },
  step = { "neap.saga", "step" },
  reject = { "neap.saga", "reject" },
  retry_after = { "neap.saga", "retry_after" },
  pivot = { "neap.saga", "pivot" },
  work = { "neap.work", "run" },
  blocking = { "neap.blocking", "run" },
  isolates = { "neap.isolates", "open" },
  flow = { "neap.flow" },
  defer = { "neap.defer", "defer" },
}

return setmetatable(neap, {
  __index = function(self, name)
    local entry = LAZY[name]
    if not entry then return nil end
    local value = require(entry[1])
    if entry[2] then value = value[entry[2]] end
    rawset(self, name, value)
    return value
  end,
})
