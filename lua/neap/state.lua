--- Share the latest value.
--- A state has a value and a version that grows by one with each change. Whoever
--- waits for a change sees the newest value, and may miss some in between.

local chan = require("neap.core.chan")
local errors = require("neap.core.error")
local task = require("neap.core.task")
local time = require("neap.core.time")

---@class neap.State
---@field package value any
---@field package version integer
---@field package seen table<neap.Task, integer>  The version that each task saw last.
---@field package wake neap.Channel  Those who wait for a change receive here.
local State = {}
State.__index = State

local state = {}

--- Create a state.
---@param initial any
---@return neap.State
---@nodiscard
function state.new(initial)
  return setmetatable({
    value = initial,
    version = 1,
    seen = setmetatable({}, { __mode = "k" }),
    wake = chan.new(),
  }, State)
end

-- Note that the running task has seen the newest value.
local function see(self)
  local running = task.current()
  if running then self.seen[running] = self.version end
  return self.value, self.version
end

--- The value, and its version.
---@return any value
---@return integer version
function State:get()
  return see(self)
end

--- Change the value; setting an equal one is no change. Does not wait.
---@param value any
function State:set(value)
  if value == self.value then return end

  self.value = value
  self.version = self.version + 1
  while self.wake:try_send(true) do end
end

--- Wait until the version differs from `since`.
---@async
---@param since? integer  By default the last version that this task saw, or else the one at the call.
---@return any value
---@return integer version
function State:changed(since)
  if since ~= nil and math.type(since) ~= "integer" then
    errors.usage("state:changed: a version expected, got " .. type(since))
  end
  since = since or self.seen[task.current()] or self.version
  if self.version == since then
    self.wake:recv()
  else
    time.checkpoint("state:changed")
  end
  return see(self)
end

return state
