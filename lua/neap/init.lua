--- The public library: `local neap = require "neap"`.

local core = {
  coroutine = require("neap.core.coroutine"),
  error = require("neap.core.error"),
  host = require("neap.core.host"),
  task = require("neap.core.task"),
  scope = require("neap.core.scope"),
  time = require("neap.core.time"),
}

local neap = {
  scope = core.scope.open,
  timeout = core.scope.timeout,
  timeout_or = core.scope.timeout_or,
  shield = core.scope.shield,
  try = core.coroutine.try,
  sleep = core.time.sleep,
  yield = core.time.yield,
  check = core.time.check,
  now = core.time.now,
  monotonic = core.time.monotonic,
  remaining = core.time.remaining,
  random = core.time.random,
  uuid = core.time.uuid,
  semaphore = require("neap.semaphore").new,
  mutex = require("neap.mutex").new,
  rwlock = require("neap.rwlock").new,
  event = require("neap.event").new,
  condition = require("neap.condition").new,
  latch = require("neap.latch").new,
  barrier = require("neap.barrier").new,
  raw = core.host.raw,
  tasks = require("neap.core.tree").tasks,
  main = require("neap.program").main,
  exit = require("neap.program").exit,
  signals = require("neap.program").signals,
  channel = require("neap.channel").new,
  broadcast = require("neap.broadcast").new,
  state = require("neap.state").new,
  select = require("neap.select").select,
  after = require("neap.select").after,
  deferred = require("neap.deferred").new,
  suspend = require("neap.deferred").suspend,
}

return neap
