--- What a step is: its options, its attempts, and how they end.
---@package

local backoff = require("neap.backoff")
local context = require("neap.core.context")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local host = require("neap.core.host")
local options = require("neap.options")
local raw = require("neap.core.host").raw
local scopes = require("neap.core.scope")
local text = require("neap.core.text")
local time = require("neap.core.time")

---@class neap.step.Context  What `run`, `undo` and `reconcile` are given.
---@field key string  Idempotency key of this call: the same for every attempt, different for
---any other step and for any undo. At most 40 characters.
---@field step_key string  In an undo: the key of the step that is undone.
---@field attempt integer  From 1.
---@field detail any  What `heartbeat` was told last, also by the attempt before.
---@field heartbeat fun(detail: any)  Say that the attempt is alive, and how far it is.
---@field id? string  The id of the execution; nil outside of a workflow.

---@class neap.step.Retry
---@field attempts? integer  At most so many attempts, the first one included.
---@field elapsed? neap.Duration  No attempt begins later than this after the first failure.
---@field base? neap.Duration  Before the second attempt: 100 ms.
---@field factor? number  By which a delay grows: 2.
---@field max? neap.Duration  No delay is longer: 30 s, of an undo 5 min.
---@field jitter? "full"|"none"  `"full"`: each delay is drawn between 0 and its length.
---@field on? fun(err: neap.Error): boolean  Can another attempt mend it? By default every
---error but a mistake in the code: kind `usage`, `structure`, `deadlock`. A rejection is never retried.

---@class neap.step.Options
---@field run? async fun(cx: neap.step.Context): ...
---@field undo? async fun(cx: neap.step.Context, result: any, outcome: "done"|"unknown")
---@field undo_retry? neap.step.Retry  Without limit by default.
---@field retry? neap.step.Retry  For 15 min by default, unless it sets `attempts`.
---@field on_exhausted? "fail"|"park"
---@field timeout? neap.Duration  Of each attempt: 30 s.
---@field once? boolean  Never run twice.
---@field reconcile? async fun(cx: neap.step.Context): boolean?, any
---@field heartbeat? neap.Duration
---@field tx? any
---@field limit? { key: string, concurrency: integer?, rate: any }

---@class neap.step.Mark  Of an error that a step raised: `err.step`.
---@field name string
---@field attempts integer  How many there had been.
---@field undo? boolean  True if it was raised by the undo.

local STEP = { "run", "undo", "undo_retry", "retry", "on_exhausted", "timeout", "once", "reconcile",
  "heartbeat", "tx", "limit" }
local RETRY = { "attempts", "elapsed", "base", "factor", "max", "jitter", "on" }
local DEFAULTS = { "retry", "undo_retry", "timeout" }
local LIMIT = { "key", "concurrency", "rate" }

local RETRY_DEFAULTS = { base = 0.1, factor = 2, max = 30, jitter = "full", elapsed = 15 * 60 }
local UNDO_DEFAULTS = { base = 0.1, factor = 2, max = 5 * 60, jitter = "full", elapsed = math.huge }
local TIMEOUT = 30

local step = {
  --- Under this key the context holds the name of the step whose body runs.
  BODY = {},
}

local function misuse(message, ...)
  errors.usage(("neap.step: " .. message):format(...))
end

-- Options --------------------------------------------------------------------------------

---@class neap.step.Policy  A checked `retry` or `undo_retry`.
---@field attempts? integer
---@field elapsed number
---@field backoff neap.Backoff
---@field on fun(err: neap.Error): boolean

local function parse_retry(what, given, defaults)
  options.check(what, given, RETRY)
  given = given or {}
  local attempts = given.attempts
  if attempts ~= nil then expect.count(what .. ": attempts", attempts, 1) end
  if given.on ~= nil then expect.callable(what .. ": on", given.on) end

  local elapsed = given.elapsed or (attempts and math.huge) or defaults.elapsed
  return {
    attempts = attempts,
    elapsed = text.duration(elapsed, what .. ": elapsed"),
    backoff = backoff.new(what, given, defaults),
    on = given.on or backoff.can_mend,
  }
end

---@class neap.saga.Options  For the steps that do not say otherwise.
---@field retry? neap.step.Retry
---@field undo_retry? neap.step.Retry
---@field timeout? neap.Duration

---@class neap.step.Defaults
---@field retry? neap.step.Policy
---@field undo_retry? neap.step.Policy
---@field timeout? number

--- Check the options of `neap.saga`.
---@param opts? neap.saga.Options
---@param outer? neap.step.Defaults  Of the saga around it: what holds where `opts` says nothing.
---@return neap.step.Defaults
function step.defaults(opts, outer)
  opts = options.check("neap.saga", opts, DEFAULTS)
  outer = outer or {}
  return {
    retry = opts.retry and parse_retry("neap.saga: retry", opts.retry, RETRY_DEFAULTS) or outer.retry,
    undo_retry = opts.undo_retry and parse_retry("neap.saga: undo_retry", opts.undo_retry, UNDO_DEFAULTS)
      or outer.undo_retry,
    timeout = opts.timeout and text.duration(opts.timeout, "neap.saga: timeout") or outer.timeout,
  }
end

local function check_journaled(opts)
  if opts.reconcile ~= nil then expect.callable("neap.step: reconcile", opts.reconcile) end
  if opts.on_exhausted ~= nil and opts.on_exhausted ~= "fail" and opts.on_exhausted ~= "park" then
    misuse('on_exhausted: "fail" or "park" expected, got %s', tostring(opts.on_exhausted))
  elseif opts.once ~= nil and type(opts.once) ~= "boolean" then
    misuse("once: true or false expected, got %s", tostring(opts.once))
  end
  if opts.heartbeat ~= nil then text.duration(opts.heartbeat, "neap.step: heartbeat") end
  if opts.limit ~= nil then
    options.check("neap.step: limit", opts.limit, LIMIT)
    if type(opts.limit.key) ~= "string" then misuse("limit: it needs a key") end
  end
end

---@class neap.step.Spec  A checked step.
---@field name string
---@field run async fun(cx: neap.step.Context): ...
---@field undo? async fun(cx: neap.step.Context, result: any, outcome: string)
---@field retry neap.step.Policy
---@field undo_retry neap.step.Policy
---@field timeout number
---@field opts neap.step.Options  As given.

--- Check the arguments of `neap.step`.
---@param name string
---@param opts neap.step.Options|function
---@param fn? function
---@param defaults? neap.step.Defaults
---@return neap.step.Spec
function step.parse(name, opts, fn, defaults)
  if type(name) ~= "string" or name == "" then
    misuse("a step has a name, a string; got %s", name == "" and "an empty one" or type(name))
  end
  if fn == nil and expect.is_callable(opts) then opts, fn = {}, opts end
  opts = options.check("neap.step", opts, STEP)
  if fn ~= nil and opts.run ~= nil then misuse("either a function or run, not both") end
  fn = fn or opts.run
  expect.callable("neap.step: run", fn)
  if opts.undo ~= nil then expect.callable("neap.step: undo", opts.undo) end
  check_journaled(opts)

  defaults = defaults or {}
  local retry = opts.retry == nil and defaults.retry
    or parse_retry("neap.step: retry", opts.retry, RETRY_DEFAULTS)
  if opts.once then
    if opts.retry and retry.attempts and retry.attempts > 1 then
      misuse("once and retry.attempts contradict")
    end
    retry = { attempts = 1, elapsed = retry.elapsed, backoff = retry.backoff, on = retry.on }
  end
  return {
    name = name,
    run = fn,
    undo = opts.undo,
    retry = retry,
    undo_retry = opts.undo_retry == nil and defaults.undo_retry
      or parse_retry("neap.step: undo_retry", opts.undo_retry, UNDO_DEFAULTS),
    timeout = text.duration(opts.timeout or defaults.timeout or TIMEOUT, "neap.step: timeout"),
    opts = opts,
  }
end

-- Ends -----------------------------------------------------------------------------------

-- Seconds that neap.retry_after asked for, by the error that it raised.
local postponed = setmetatable({}, { __mode = "k" })

--- End the saga, or the step in whose body it is called, by a decision: raises an error
--- of kind `rejected`. A step that is rejected is not retried, and nothing of it is
--- undone.
---@param code string  For programs: `"not_approved"`.
---@param detail? any  Becomes `data` of the error. Text stands in the message, too, for people.
function step.reject(code, detail)
  if type(code) ~= "string" then
    errors.usage("neap.reject: code: string expected, got " .. type(code))
  end
  local message = type(detail) == "string" and code .. ": " .. detail or code
  error(errors.new("rejected", message, { code = code, data = detail }), 0)
end

--- End this attempt of a step, and begin the next one after so long instead of the usual
--- delay. The attempt counts: when there is none left, what this raises is the error of
--- the step.
---@param delay neap.Duration
function step.retry_after(delay)
  local seconds = text.duration(delay, "neap.retry_after")
  if seconds == math.huge then errors.usage("neap.retry_after: math.huge would never come") end
  if not context.get(step.BODY) then
    errors.usage("neap.retry_after: called outside of the body of a step")
  end
  local err = errors.new("error", ("to be tried again after %gs"):format(seconds))
  postponed[err] = seconds
  error(err, 0)
end

--- The value as an error object: itself if it is one, else one of kind `error` with its
--- text as the message and the value as `data`.
---@param value any
---@return neap.Error
function step.normalise(value)
  if errors.is(value) then return value end
  local ok, message = pcall(tostring, value)
  return errors.new("error", ok and message or "error of type " .. type(value),
    { data = value, traceback = host.traceback(value) })
end

-- Attempts -------------------------------------------------------------------------------

-- How long to wait before the next attempt, or nil if there is none.
local function next_delay(policy, failures, failed_at, err)
  if errors.is(err, "rejected") then return nil end
  if not postponed[err] and not policy.on(err) then return nil end
  if policy.attempts and failures >= policy.attempts then return nil end

  local delay = postponed[err] or backoff.delay(policy.backoff, failures)
  if time.monotonic() + delay > failed_at + policy.elapsed then return nil end
  return delay
end

local function note(err, spec, cx)
  err.step = { name = spec.name, attempts = cx.attempt, undo = cx.step_key ~= nil or nil }
end

-- The same error, which knows now whose it is; for lack of memory it does without.
local function signed(err, spec, cx)
  raw.pcall(note, err, spec, cx)
  return err
end

---@alias neap.step.State "done"|"failed"|"unknown"

--- True for the error of a request for memory that was refused.
---@param err any
---@return boolean
function step.is_memory(err)
  return err == "not enough memory"
end

--- Call `fn(cx, ...)` until it succeeds or the policy has no further attempt.
--- Raises only lack of memory, met outside of `fn`: a cancellation of the running task is
--- an end, too.
---@async
---@param spec neap.step.Spec
---@param policy neap.step.Policy
---@param is_over fun(): boolean  Asked before another attempt: should there be none?
---@param fn async fun(cx: neap.step.Context, ...): ...
---@param cx neap.step.Context
---@return neap.step.State
---@return any ...  What `fn` returned; else its error, as an object, or the cancellation.
function step.attempt(spec, policy, is_over, fn, cx, ...)
  local mark = { [step.BODY] = spec.name }
  local what = ("neap.step %q%s"):format(spec.name, cx.step_key and ": undo" or "")
  local function body(...)
    cx.attempt = cx.attempt + 1
    return fn(...)
  end
  local failed_at
  while true do
    local before = cx.attempt
    local outcome = table.pack(raw.xpcall(scopes.timeout_of, errors.handler, what, spec.timeout,
      context.with, mark, body, cx, ...))
    if outcome[1] then return "done", table.unpack(outcome, 2, outcome.n) end
    if time.is_cancelled(outcome[2]) then return "unknown", outcome[2] end
    if cx.attempt == before then error(outcome[2], 0) end

    local err = signed(step.normalise(outcome[2]), spec, cx)
    failed_at = failed_at or time.monotonic()
    local asked, delay = raw.pcall(next_delay, policy, cx.attempt, failed_at, err)
    if not asked then
      if step.is_memory(delay) then error(delay, 0) end
      return "unknown", signed(step.normalise(delay), spec, cx)
    end
    if not delay or is_over() or time.cancelled() then
      return errors.is(err, "rejected") and "failed" or "unknown", err
    end
    local slept, cancellation = raw.pcall(time.sleep, delay)
    if not slept then
      if step.is_memory(cancellation) then error(cancellation, 0) end
      return "unknown", cancellation
    end
  end
end

--- What the attempts of one call are given.
---@param key string
---@param step_key? string  Of an undo: whose it is.
---@return neap.step.Context
function step.context(key, step_key)
  local cx = { key = key, step_key = step_key, attempt = 0 }
  function cx.heartbeat(detail) cx.detail = detail end
  return cx
end

return step
