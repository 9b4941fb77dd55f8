--- The operators in which what is above and what is below run side by side: each in a
--- task, with a channel between them.
---@package

local base = require("neap.flow.base")
local chan = require("neap.core.chan")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local options = require("neap.options")
local scopes = require("neap.core.scope")
local select = require("neap.select").select
local text = require("neap.core.text")
local time = require("neap.core.time")

local new = base.new

---@class neap.Flow
local Flow = base.Flow

-- What one task sends: all values that belong together.
local function unpack_item(item)
  return table.unpack(item, 1, item.n)
end

-- From several tasks come outcomes, so that an error waits its turn, too: true and the
-- values, or false and the error.
local function emit_outcome(emit, outcome)
  if not outcome[1] then error(outcome[2], 0) end
  emit(table.unpack(outcome, 2, outcome.n))
end

-- Raise an error in the task that had it, so that its scope fails, if whoever would get it
-- through `ch` has gone: it may be that of a cleanup.
local function fail_alone(ch, err)
  if ch:is_closed() then error(err, 0) end
end

-- No more values: an error comes after what has been sent before it.
local function close(ch, ok, err)
  if ok then return ch:close() end
  fail_alone(ch, err)
  if err == nil then err = errors.new("error", "nil was raised") end
  ch:close(err)
end

-- What is above may run on when nobody receives any more, under a shield or behind a
-- pivot: what it sends then is dropped, so that it comes to its end.
local function send(ch, item)
  if ch:is_closed() then return end
  local ok, err = pcall(ch.send, ch, item)
  if not ok and not ch:is_closed() then error(err, 0) end
end

-- Run what is above in a task, and send what it emits to the end that is returned, which
-- has to be closed. The task closes its own one even if it is cancelled: the receiver may
-- wait under a shield.
---@return neap.channel.Receiver
local function produce(s, run, ch)
  local sender = ch:sender()
  s:spawn(function()
    local _ <close> = sender
    close(ch, xpcall(run, errors.handler, function(...) send(ch, table.pack(...)) end))
  end)
  return ch:receiver()
end

--- Let what is above run ahead by up to `n` values.
---@param n integer|number  `math.huge` for no bound.
---@return neap.Flow
function Flow:buffer(n)
  expect.bound("flow:buffer", n)
  return new(function(emit)
    scopes.open(function(s)
      local items <close> = produce(s, self.run, chan.new(n))
      for item in items do emit(unpack_item(item)) end
    end)
  end)
end

---@class neap.flow.ParallelMap
---@field limit? integer  How many run at once: 8.
---@field ordered? boolean  False: a result is emitted when it is there; true by default.

local PARALLEL_MAP = { "limit", "ordered" }

-- Results in the order of the values: the queue holds the tasks. A slot is taken before
-- a value is asked for, and given back when its result is taken.
local function map_ordered(s, run, fn, limit, emit)
  local slots, queue = chan.new(limit), chan.new(limit)
  local function work(...)
    local outcome = table.pack(xpcall(fn, errors.handler, ...))
    if not outcome[1] then fail_alone(slots, outcome[2]) end
    return outcome
  end
  s:spawn(function()
    send(slots, true)
    close(queue, xpcall(run, errors.handler, function(...)
      send(queue, s:spawn(work, ...))
      send(slots, true)
    end))
  end)
  local taken <close> = slots:receiver()
  local tasks <close> = queue:receiver()
  for task in tasks do
    local outcome = task:await()
    taken:try_recv()
    emit_outcome(emit, outcome)
  end
end

-- An error of what is above comes after the results of all that it emitted.
local function map_unordered(s, run, fn, limit, emit)
  local slots, results = chan.new(limit), chan.new()
  local running, ok, err = 1, nil, nil
  local function finish()
    running = running - 1
    if running == 0 and not results:is_closed() then close(results, ok, err) end
  end
  local function work(...)
    local outcome = table.pack(xpcall(fn, errors.handler, ...))
    if not outcome[1] then fail_alone(slots, outcome[2]) end
    send(results, outcome)
    slots:try_recv()
    finish()
  end
  s:spawn(function()
    send(slots, true)
    ok, err = xpcall(run, errors.handler, function(...)
      running = running + 1
      s:spawn(work, ...)
      send(slots, true)
    end)
    if not ok then fail_alone(slots, err) end
    finish()
  end)
  local _ <close> = slots:receiver()
  local outcomes <close> = results:receiver()
  for outcome in outcomes do emit_outcome(emit, outcome) end
end

--- Emit what `fn(value)` returns, running it for several values at once. The order is
--- kept, unless `ordered = false`.
---@param fn async fun(...): ...
---@param opts? neap.flow.ParallelMap
---@return neap.Flow
function Flow:parallel_map(fn, opts)
  expect.callable("flow:parallel_map", fn)
  opts = options.check("flow:parallel_map", opts, PARALLEL_MAP)
  local limit = expect.count("flow:parallel_map: limit", opts.limit or 8, 1)
  local map = opts.ordered == false and map_unordered or map_ordered
  return new(function(emit)
    scopes.open(function(s) map(s, self.run, fn, limit, emit) end)
  end)
end

--- Emit the values of several flows, as they come. Takes whatever `neap.flow.from` does.
--- The first error of one of them ends the flow.
---@param ... any
---@return neap.Flow
function Flow:merge(...)
  local flows, others = { self }, table.pack(...)
  for i = 1, others.n do flows[i + 1] = base.from(others[i]) end
  return new(function(emit)
    scopes.open(function(s)
      local ch, running = chan.new(), #flows
      for _, flow in ipairs(flows) do
        s:spawn(function()
          local ok, err = xpcall(flow.run, errors.handler, function(...)
            send(ch, table.pack(true, ...))
          end)
          if not ok then
            fail_alone(ch, err)
            send(ch, { false, err })
          end
          running = running - 1
          if running == 0 then ch:close() end
        end)
      end
      local outcomes <close> = ch:receiver()
      for outcome in outcomes do emit_outcome(emit, outcome) end
    end)
  end)
end

-- Walk the first values of what both receivers give, whichever comes first, until one
-- has ended.
local function pairs_of(left, right)
  return function()
    local a, b
    select {
      left:on_recv(function(item)
        a = item
        if a then b = right:recv() end
      end),
      right:on_recv(function(item)
        b = item
        if b then a = left:recv() end
      end),
    }
    if a and b then return a[1], b[1] end
  end
end

--- Emit pairs, `emit(a, b)`: the first value of this flow with the first one of the other,
--- and so on. Ends with the one that ends first; the other one is stopped.
---@param other any  Whatever `neap.flow.from` takes.
---@return neap.Flow
function Flow:zip(other)
  local partner = base.from(other)
  return new(function(emit)
    scopes.open(function(s)
      local ours <close> = produce(s, self.run, chan.new())
      local theirs <close> = produce(s, partner.run, chan.new())
      for a, b in pairs_of(ours, theirs) do emit(a, b) end
      s:cancel("the other flow has ended")
    end)
  end)
end

---@class neap.flow.Chunk
---@field within? neap.Duration  No value waits longer for its list to be full.

local CHUNK = { "within" }

-- The next item, or nil and "closed", or nil and "timeout" at `due` if there is one.
local function recv_until(items, due)
  if not due then return items:recv() end
  return items:recv_within(math.max(due - time.monotonic(), 0))
end

--- Emit lists of `size` values; the last one may be shorter. With `within` a list is
--- emitted at the latest so long after its first value.
---@param size integer
---@param opts? neap.flow.Chunk
---@return neap.Flow
function Flow:chunk(size, opts)
  expect.count("flow:chunk", size, 1)
  local within = options.check("flow:chunk", opts, CHUNK).within
  local seconds = within and text.duration(within, "flow:chunk: within") or math.huge
  local run = self.run

  if seconds == math.huge then
    return new(function(emit)
      local list = {}
      run(function(value)
        list[#list + 1] = value
        if #list < size then return end
        local full = list
        list = {}
        emit(full)
      end)
      if #list > 0 then emit(list) end
    end)
  end
  return new(function(emit)
    scopes.open(function(s)
      local items <close> = produce(s, run, chan.new())
      local list, due = {}, nil
      repeat
        local item, why = recv_until(items, due)
        if item then
          list[#list + 1] = item[1]
          due = due or time.monotonic() + seconds
        end
        if #list > 0 and (not item or #list == size) then
          local full = list
          list, due = {}, nil
          emit(full)
        end
      until why == "closed"
    end)
  end)
end

--- Emit a value when no newer one has come for so long; the last one at the end of the
--- flow, too. What is above never waits.
---@param duration neap.Duration
---@return neap.Flow
function Flow:debounce(duration)
  local seconds = text.duration(duration, "flow:debounce")
  return new(function(emit)
    scopes.open(function(s)
      local items <close> = produce(s, self.run, chan.new(1, "drop_oldest"))
      local last
      repeat
        local item, why = recv_until(items, last and time.monotonic() + seconds)
        if item then
          last = item
        elseif last then
          local quiet = last
          last = nil
          emit(unpack_item(quiet))
        end
      until why == "closed"
    end)
  end)
end

--- Emit, each time that so long has passed, the newest value, if there is one since the
--- last time. What is above never waits; a value at the end is lost.
---@param duration neap.Duration
---@return neap.Flow
function Flow:sample(duration)
  local seconds = text.duration(duration, "flow:sample")
  if seconds <= 0 or seconds == math.huge then
    errors.usage("flow:sample: a duration above 0 and below math.huge expected")
  end
  return new(function(emit)
    scopes.open(function(s)
      local items <close> = produce(s, self.run, chan.new(1, "drop_oldest"))
      local last, due = nil, time.monotonic() + seconds
      repeat
        local item, why = recv_until(items, due)
        if item then
          last = item
        elseif why == "timeout" then
          local newest = last
          last = nil
          if newest then emit(unpack_item(newest)) end
          -- Instants that passed while the value was handled are left out.
          due = due + seconds * math.max(1, math.ceil((time.monotonic() - due) / seconds))
        end
      until why == "closed"
    end)
  end)
end

local Loop = { __close = function(loop, err)
  local _ <close> = loop.scope
  loop.items:close()
  loop.scope:cancel("the loop has ended")
  if err ~= nil then error(err, 0) end    -- leaves the scope, as it leaves the loop
end }

--- Walk the values in a loop, which can be left at any time:
---
---     for value in flow:iter() do print(value) end
---
--- The flow runs in a task of a scope that ends with the loop. Its error is raised in the
--- loop. A value nil ends the loop.
---@async
---@return async fun(): ...
---@return nil
---@return nil
---@return table closing
function Flow:iter()
  time.checkpoint("flow:iter")
  local s = scopes.open()
  local items = produce(s, self.run, chan.new())
  local function next_values()
    local item = items:recv()
    if item then return unpack_item(item) end
  end
  return next_values, nil, nil, setmetatable({ scope = s, items = items }, Loop)
end
