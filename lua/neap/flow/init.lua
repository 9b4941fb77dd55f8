--- Streams of values that are made when somebody asks for them.
--- A flow does nothing until it is ended, by `collect` for instance, and begins anew each
--- time. It is sequential: the next value is made when the one before has been handled,
--- so a slow consumer slows the source down.
---
---     local cheap = neap.flow(function(emit)
---       for page in pages(url) do emit(page) end
---     end):flat_map(orders):filter(is_cheap):take(10):to_list()
---
--- An error passes downstream only: what is above a `catch` can be caught there, what is
--- below cannot, nor can a source keep its consumer's error from passing.
---
--- `neap.flow(fn)` is `neap.flow.new(fn)`; `neap help flows` lists what changes and ends a flow.

local backoff = require("neap.backoff")
local base = require("neap.flow.base")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local lists = require("neap.lists")
local options = require("neap.options")
local scopes = require("neap.core.scope")
local text = require("neap.core.text")
local time = require("neap.core.time")

local new, stop, try_above = base.new, base.stop, base.try_above

---@class neap.Flow
local Flow = base.Flow

local flow = {}

-- Sources ----------------------------------------------------------------------------------

--- Make a flow of what a function emits. Each time that the flow is ended, `fn(emit)` is
--- called; `emit(value, ...)`, a checkpoint, returns when the value was handled.
---@param fn async fun(emit: neap.flow.Emit)
---@return neap.Flow
---@nodiscard
function flow.new(fn)
  expect.callable("neap.flow", fn)
  return new(function(emit)
    local ok, err = try_above(fn, function(...)
      time.checkpoint("flow: emit")
      emit(...)
    end)
    if not ok then error(err, 0) end
  end)
end

--- Make a flow of a list, of what a channel receives until it is closed, or of what a
--- function returns until that is nil. A flow is returned as it is.
---@param source any[]|neap.Channel|(async fun(): ...)|neap.Flow
---@return neap.Flow
---@nodiscard
function flow.from(source)
  if getmetatable(source) == Flow then return source end
  if expect.is_callable(source) then
    return flow.new(function(emit)
      local function pass(...)
        if (...) == nil then return false end
        emit(...)
        return true
      end
      while pass(source()) do end
    end)
  end
  lists.check("neap.flow.from", source, "list, channel or function")
  return flow.new(function(emit)
    for i = 1, #source do emit(source[i]) end
  end)
end

-- One value after the other --------------------------------------------------------------------

--- Emit what `fn(value)` returns.
---@param fn async fun(...): ...
---@return neap.Flow
function Flow:map(fn)
  expect.callable("flow:map", fn)
  return new(function(emit)
    self.run(function(...) emit(fn(...)) end)
  end)
end

--- Emit the values for which `fn(value)` is true.
---@param fn async fun(...): any
---@return neap.Flow
function Flow:filter(fn)
  expect.callable("flow:filter", fn)
  return new(function(emit)
    self.run(function(...)
      if fn(...) then emit(...) end
    end)
  end)
end

--- Emit what `fn(value)` returns, unless that is nil.
---@param fn async fun(...): ...
---@return neap.Flow
function Flow:filter_map(fn)
  expect.callable("flow:filter_map", fn)
  return new(function(emit)
    local function pass(...)
      if (...) ~= nil then emit(...) end
    end
    self.run(function(...) pass(fn(...)) end)
  end)
end

--- Emit the first `n` values; what is above is stopped then.
---@param n integer
---@return neap.Flow
function Flow:take(n)
  expect.count("flow:take", n, 0)
  return new(function(emit)
    if n == 0 then return end
    scopes.open(function(s)
      local count = 0
      self.run(function(...)
        if count >= n then return end
        count = count + 1
        emit(...)
        if count >= n then stop(s) end
      end)
    end)
  end)
end

--- Emit values until `fn(value)` is false; what is above is stopped then.
---@param fn async fun(...): any
---@return neap.Flow
function Flow:take_while(fn)
  expect.callable("flow:take_while", fn)
  return new(function(emit)
    scopes.open(function(s)
      local is_over = false
      self.run(function(...)
        if is_over then return end
        is_over = not fn(...)
        if is_over then return stop(s) end
        emit(...)
      end)
    end)
  end)
end

--- Leave out the first `n` values.
---@param n integer
---@return neap.Flow
function Flow:drop(n)
  expect.count("flow:drop", n, 0)
  return new(function(emit)
    local count = 0
    self.run(function(...)
      count = count + 1
      if count > n then emit(...) end
    end)
  end)
end

--- Leave out each value that equals the one before it.
---@return neap.Flow
function Flow:distinct()
  return self:distinct_by(function(value) return value end)
end

--- Leave out each value for which `fn(value)` equals what it was for the one before.
---@param fn async fun(...): any
---@return neap.Flow
function Flow:distinct_by(fn)
  expect.callable("flow:distinct_by", fn)
  return new(function(emit)
    local is_first, last = true, nil
    self.run(function(...)
      local key = fn(...)
      if is_first or key ~= last then
        is_first, last = false, key
        emit(...)
      end
    end)
  end)
end

--- Emit `init`, then for each value the result of `fn(result, value)`.
---@param init any
---@param fn async fun(result: any, ...): any
---@return neap.Flow
function Flow:scan(init, fn)
  expect.callable("flow:scan", fn)
  return new(function(emit)
    local result = init
    emit(result)
    self.run(function(...)
      result = fn(result, ...)
      emit(result)
    end)
  end)
end

--- Emit all values of what `fn(value)` returns, one flow after the other. It may also
--- return whatever `neap.flow.from` takes.
---@param fn async fun(...): any
---@return neap.Flow
function Flow:flat_map(fn)
  expect.callable("flow:flat_map", fn)
  return new(function(emit)
    self.run(function(...) flow.from(fn(...)).run(emit) end)
  end)
end

--- Emit lists of `size` neighbours; each list begins `step` values after the one before.
--- Of fewer values than `size` there is none.
---@param size integer
---@param step? integer  1 by default.
---@return neap.Flow
function Flow:window(size, step)
  expect.count("flow:window", size, 1)
  step = expect.count("flow:window", step or 1, 1)
  return new(function(emit)
    local list, skip = {}, 0
    self.run(function(value)
      if skip > 0 then
        skip = skip - 1
        return
      end
      list[#list + 1] = value
      if #list < size then return end
      local full = list
      list = table.move(full, step + 1, size, 1, {})
      skip = math.max(step - size, 0)
      emit(full)
    end)
  end)
end

-- Beginning, end, errors -------------------------------------------------------------------------

--- Call `fn(value)` before each value goes on.
---@param fn async fun(...)
---@return neap.Flow
function Flow:on_each(fn)
  expect.callable("flow:on_each", fn)
  return new(function(emit)
    self.run(function(...)
      fn(...)
      emit(...)
    end)
  end)
end

--- Call `fn(emit)` before the flow begins; it may emit values that go before.
---@param fn async fun(emit: neap.flow.Emit)
---@return neap.Flow
function Flow:on_start(fn)
  expect.callable("flow:on_start", fn)
  local before = flow.new(fn)
  return new(function(emit)
    before.run(emit)
    self.run(emit)
  end)
end

local Completion = { __close = function(completion, err) completion.fn(err) end }

--- Call `fn(err)` when the flow has ended: `err` is nil, the error from above or below,
--- or the cancellation by which it was stopped (`neap.is_cancelled(err)`).
---@param fn async fun(err: any)
---@return neap.Flow
function Flow:on_completion(fn)
  expect.callable("flow:on_completion", fn)
  return new(function(emit)
    local _ <close> = setmetatable({ fn = fn }, Completion)
    self.run(emit)
  end)
end

--- When what is above fails, call `fn(err, emit)` in its place: it may emit values, or
--- raise again. An error from below is not its business.
---@param fn async fun(err: any, emit: neap.flow.Emit)
---@return neap.Flow
function Flow:catch(fn)
  expect.callable("flow:catch", fn)
  return new(function(emit)
    local ok, err = try_above(self.run, emit)
    if not ok then
      flow.new(function(emit_safely) fn(err, emit_safely) end).run(emit)
    end
  end)
end

---@class neap.flow.Retry
---@field attempts? integer|number  How often it may begin in all; 3, `math.huge` for no bound.
---@field base? neap.Duration  Before the second attempt: 100 ms.
---@field factor? number  By which the delay grows each time: 2.
---@field max? neap.Duration  No delay is longer: 5 s.
---@field jitter? "full"|"none"  `"full"`: each delay is drawn between 0 and its length.
---@field on? async fun(err: any): boolean  Can another attempt mend it? By default every error
---but a mistake in the code: kind `usage`, `structure`, `deadlock`.

local RETRY = { "attempts", "base", "factor", "max", "jitter", "on" }
local RETRY_DEFAULTS = { base = 0.1, factor = 2, max = 5, jitter = "full" }

--- When what is above fails, begin it anew, after a delay; values that it emitted
--- before are emitted again. A rejection is not retried.
---@param opts? neap.flow.Retry
---@return neap.Flow
function Flow:retry(opts)
  opts = options.check("flow:retry", opts, RETRY)
  local attempts = opts.attempts or 3
  expect.bound("flow:retry: attempts", attempts)
  if opts.on ~= nil then expect.callable("flow:retry: on", opts.on) end
  local on = opts.on or backoff.can_mend
  local policy = backoff.new("flow:retry", opts, RETRY_DEFAULTS)

  return new(function(emit)
    for attempt = 1, attempts do
      local ok, err = try_above(self.run, emit)
      if ok then return end
      if attempt == attempts or errors.is(err, "rejected") or not on(err) then error(err, 0) end
      time.sleep(backoff.delay(policy, attempt))
    end
  end)
end

--- Raise an error of kind `timeout` if what is above takes longer than that for one
--- value, or for its end. The time that a value is handled below does not count.
---@param duration neap.Duration
---@return neap.Flow
function Flow:timeout(duration)
  local seconds = text.duration(duration, "flow:timeout")
  return new(function(emit)
    scopes.open_with({ op = "flow:timeout", deadline = seconds }, function(s)
      self.run(function(...)
        s:extend(math.huge)
        emit(...)
        s:extend(seconds)
      end)
    end)
  end)
end

-- Ends -----------------------------------------------------------------------------------------------

local function run(self, what, emit)
  time.checkpoint("flow:" .. what)
  self.run(emit)
end

--- Run the flow, and call `fn(value)` for each value.
---@async
---@param fn? async fun(...)
function Flow:collect(fn)
  run(self, "collect", fn == nil and function() end or expect.callable("flow:collect", fn))
end

--- Run the flow and return its values as a list; of several that belong together the
--- first.
---@async
---@return any[]
function Flow:to_list()
  local list, count = {}, 0
  run(self, "to_list", function(value)
    count = count + 1
    list[count] = value
  end)
  return list
end

--- Run the flow until it emits, and return that, or nothing if it ends without.
---@async
---@return any ...
function Flow:first()
  local found = table.pack()
  run(self:take(1), "first", function(...) found = table.pack(...) end)
  return table.unpack(found, 1, found.n)
end

--- Run the flow and return how many values it emits.
---@async
---@return integer
function Flow:count()
  local count = 0
  run(self, "count", function() count = count + 1 end)
  return count
end

--- Run the flow and return `fn(... fn(fn(init, first), second) ..., last)`; `init` if
--- there is no value.
---@async
---@param init any
---@param fn async fun(result: any, ...): any
---@return any
function Flow:reduce(init, fn)
  expect.callable("flow:reduce", fn)
  local result = init
  run(self, "reduce", function(...) result = fn(result, ...) end)
  return result
end

base.from = flow.from
require("neap.flow.concurrent")

return setmetatable(flow, { __call = function(_, fn) return flow.new(fn) end })
