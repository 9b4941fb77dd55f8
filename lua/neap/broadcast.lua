--- Tell every subscriber.
--- Each subscriber has a channel of its own, so a slow one does not delay what
--- the others read. A value reaches all subscribers, in one order, or none.

local chan = require("neap.core.chan")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local options = require("neap.options")

---@class neap.broadcast.Options
---@field capacity? integer|number  Values that may wait for each subscriber; 64 by default.
---@field on_full? "wait"|"drop_oldest"|"drop_newest"  What `publish` does when a subscriber is full; "wait".
---@field replay? integer  How many of the last values a new subscriber gets first; 0.

local OPTIONS = { "capacity", "on_full", "replay" }
-- What a channel takes at once: what reaches nobody now may be replayed to one later.
local MAX_VALUES = 255
local ON_FULL = { wait = true, drop_oldest = true, drop_newest = true }

---@class neap.Broadcast
---@field package capacity integer|number
---@field package on_full string?
---@field package replay integer
---@field package last table[]  The last published values, oldest first, packed.
---@field package subscribers neap.Channel[]
---@field package prune_at integer  So many subscribers are a reason to look who has gone.
---@field package turn neap.Channel  Full while somebody publishes.
---@field package guard table  Its __close empties `turn`.
---@field package closed boolean
---@field package cause any
local Broadcast = {}
Broadcast.__index = Broadcast

local Turn = {
  __close = function(guard)
    guard.turn:try_recv()
  end,
}

local broadcast = {}

--- Create a broadcast.
---@param opts? neap.broadcast.Options
---@return neap.Broadcast
---@nodiscard
function broadcast.new(opts)
  opts = options.check("neap.broadcast", opts, OPTIONS)
  local capacity = expect.bound("neap.broadcast: capacity", opts.capacity or 64)
  local replay = expect.count("neap.broadcast: replay", opts.replay or 0, 0)
  if opts.on_full ~= nil and not ON_FULL[opts.on_full] then
    errors.usage(('neap.broadcast: on_full: "wait", "drop_oldest" or "drop_newest" expected, got %q')
      :format(tostring(opts.on_full)))
  end
  if replay > capacity then
    errors.usage(("neap.broadcast: replay is %d, but only %d values fit into a subscriber's "
      .. "buffer; raise `capacity`"):format(replay, capacity))
  end

  local turn = chan.new(1)
  return setmetatable({
    capacity = capacity,
    on_full = opts.on_full,
    replay = replay,
    last = {},
    subscribers = {},
    prune_at = 16,
    turn = turn,
    guard = setmetatable({ turn = turn }, Turn),
    closed = false,
  }, Broadcast)
end

-- Remove the subscribers that have gone. Not while somebody publishes: `publish` walks
-- the list, and may wait in the middle of it.
local function prune(self)
  local open = {}
  for _, subscriber in ipairs(self.subscribers) do
    if not subscriber:is_closed() then open[#open + 1] = subscriber end
  end
  self.subscribers = open
  self.prune_at = 2 * #open + 16
end

local function raise_closed(self)
  error(errors.new("closed", "broadcast:publish: the broadcast is closed",
    { op = "broadcast:publish", code = "ECLOSED", cause = self.cause }), 0)
end

--- Send values to every subscriber. Waits, if `on_full` is "wait", until each of them
--- has room; cancelled meanwhile, it has reached nobody. Publishers take turns in the
--- order in which they came. Raises kind "closed" on a closed broadcast.
---@async
---@param ... any  The first is not nil; at most 255.
function Broadcast:publish(...)
  if (...) == nil then
    errors.usage("broadcast:publish: nil cannot be sent as the first value")
  end
  local count = select("#", ...)
  if count > MAX_VALUES then
    errors.usage(("broadcast:publish: %d values; at most %d can be sent at once, or one table")
      :format(count, MAX_VALUES))
  end
  self.turn:send(true)
  local _ <close> = self.guard

  -- Once there is room for a value there stays room: nobody else sends there. One
  -- who subscribes meanwhile is reached by this loop, too.
  local i = 1
  while not self.closed and self.subscribers[i] do
    chan.room(self.subscribers[i])
    i = i + 1
  end
  if self.closed then raise_closed(self) end

  local gone = false
  for _, subscriber in ipairs(self.subscribers) do
    if not subscriber:try_send(...) then gone = true end
  end
  if gone then prune(self) end
  if self.replay > 0 then
    if #self.last == self.replay then table.remove(self.last, 1) end
    self.last[#self.last + 1] = table.pack(...)
  end
end

--- Subscribe: a receiving end that gets what is published from now on, after the
--- last `replay` values. Close it to unsubscribe.
---@return neap.channel.Receiver
---@nodiscard
function Broadcast:subscribe()
  local subscriber = chan.new(self.capacity, self.on_full)
  local receiver = subscriber:receiver()

  for _, values in ipairs(self.last) do
    subscriber:try_send(table.unpack(values, 1, values.n))
  end
  if self.closed then
    subscriber:close(self.cause)
  else
    if #self.subscribers >= self.prune_at and self.turn:len() == 0 then prune(self) end
    self.subscribers[#self.subscribers + 1] = subscriber
  end
  return receiver
end

--- No more values: subscribers receive what they have not yet, then the end, or
--- `cause` as an error. A second close changes nothing.
---@param cause? any
function Broadcast:close(cause)
  if self.closed then return end

  self.closed, self.cause = true, cause
  for _, subscriber in ipairs(self.subscribers) do subscriber:close(cause) end
  self.subscribers = {}
end

return broadcast
