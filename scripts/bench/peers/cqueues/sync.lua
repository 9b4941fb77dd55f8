--- A bounded channel and a lock as one writes them with cqueues, which has condition variables.

local condition = require("cqueues.condition")

local sync = {}

local Channel = {}
Channel.__index = Channel

--- A rendezvous is as near as conditions come to it: one place, and `send` waits until it was emptied.
---@param capacity integer  0 for a rendezvous.
function sync.channel(capacity)
  return setmetatable({
    capacity = math.max(capacity, 1),
    rendezvous = capacity == 0,
    first = 1,
    last = 0,
    values = {},
    not_empty = condition.new(),
    not_full = condition.new(),
  }, Channel)
end

function Channel:send(value)
  while self.last - self.first + 1 >= self.capacity do self.not_full:wait() end
  self.last = self.last + 1
  self.values[self.last] = value
  self.not_empty:signal(1)
  local mine = self.last
  while self.rendezvous and self.first <= mine do self.not_full:wait() end
end

function Channel:recv()
  while self.last < self.first do
    if self.closed then return nil end
    self.not_empty:wait()
  end
  local value = self.values[self.first]
  self.values[self.first] = nil
  self.first = self.first + 1
  self.not_full:signal(1)
  return value
end

function Channel:close()
  self.closed = true
  self.not_empty:signal()
end

-- Freed, not handed over: whoever runs first has it, which may be the task that held it.
local Lock = {}
Lock.__index = Lock

function sync.lock() return setmetatable({ free = condition.new() }, Lock) end

function Lock:lock()
  while self.held do self.free:wait() end
  self.held = true
end

function Lock:unlock()
  self.held = false
  self.free:signal(1)
end

return sync
