--- Isolates: scripts that run beside this one, each on a thread of its own.
--- An isolate has its own Lua state, loop and tasks, and shares nothing. It runs a module
--- that returns a function; between the two is a channel, whose other end the function
--- gets:
---
---     -- resize.lua                          -- main.lua
---     return function(ch)                    local group <close> = neap.isolates(4, "resize")
---       for job in ch do                     for _, job in ipairs(jobs) do group:send(job) end
---         ch:send(resize(job))               for _ = 1, #jobs do print(group:recv()) end
---       end
---     end
---
--- What is sent is copied as `neap.work` does it. Each direction of a channel holds a
--- bounded number of values that were sent and not yet received; then sending waits.

local errors = require("neap.core.error")
local isolate = require("neap.core.isolate")
local options = require("neap.options")
local port = require("neap.core.port")
local raw = require("neap.core.host").raw
local scope = require("neap.core.scope")
local select = require("neap.select")
local time = require("neap.core.time")

---@class neap.isolates.Options
---@field capacity? integer  Values on their way, for each isolate and direction: 16.

local OPTIONS = { "capacity" }
local CAPACITY = 16

-- Isolates of one group. Each has a thread, so more would only stand in each other's way.
local MAX = 256

--- An end of the channel between an isolate and the one that started it.
---@class neap.Port: neap.core.Port
local Port = port.methods

local function pass(...) return ... end

--- Receive, or give up when the time is over.
---@async
---@param duration neap.Duration
---@return any value
---@return any ...  After nil: "timeout" or "closed".
function Port:recv_within(duration)
  return select.select {
    self:on_recv(pass),
    select.after(duration, function() return nil, "timeout" end),
  }
end

--- The isolates of one call of `neap.isolates`. `group[i]` is the channel to the i-th,
--- `#group` says how many there are; `for v in group do` receives until all have ended.
---@class neap.Isolates
---@field [integer] neap.Port
---@field private scope neap.Scope?
---@field private last integer      The one served last.
local Group = {}
Group.__index = Group
Group.__name = "neap.isolates"

-- Arms for the channels that `wanted`, in turn: after the one served last.
local function arms(group, make)
  local list, whose = {}, {}
  for k = 1, #group do
    local i = (group.last + k - 1) % #group + 1
    local arm = make(group[i])
    if arm then
      list[#list + 1] = arm
      whose[#list] = i
    end
  end
  return list, whose
end

local function is_open(group)
  for i = 1, #group do
    if not group[i]:is_closed() then return true end
  end
  return false
end

--- Send values to the next isolate, in turn, that has room for them; wait while none has.
--- Raises `closed` when all have ended. To send to a certain one: `group[i]:send(v)`.
---@async
---@param value any  Not nil.
---@param ... any  Received together with `value`.
function Group:send(value, ...)
  local parcel = port.pack(value, ...)
  while true do
    local list, whose = arms(self, function(to)
      return not to:is_closed() and to:on_send(parcel) or nil
    end)
    if #list == 0 then
      time.check()
      return self[1]:send(parcel)       -- raises `closed`, with the cause
    end
    local ok, chosen = pcall(select.select, list)
    if ok then
      self.last = whose[chosen]
      return
    end
    -- One that has ended meanwhile is none to send to; all others are.
    if not (errors.is(chosen, "closed") and is_open(self)) then error(chosen, 0) end
  end
end

--- Receive what any of the isolates has sent, each in turn; wait for it.
--- When an isolate has ended by an error, this raises it, after what it had sent before.
---@async
---@return any value  nil when all have ended and everything was received.
---@return any ...  The other values; "closed" at the end.
function Group:recv()
  local done = {}
  while true do
    local list, whose = arms(self, function(from)
      return not done[from] and from:on_recv() or nil
    end)
    if #list == 0 then return nil, "closed" end
    local got = table.pack(select.select(list))
    local i = whose[got[1]]
    if got[2] ~= nil then
      self.last = i
      return table.unpack(got, 2, got.n)
    end
    done[self[i]] = true
  end
end

Group.__call = Group.recv

-- What a task does for each isolate. If the group is never left, nobody else tells of its error.
local function serve(s, near, module)
  local ok, err = raw.pcall(isolate.serve, near, module)
  local failed, cause = isolate.failure(near)
  if failed then scope.blame(s, cause) end
  if not ok then error(err, 0) end
end

local function add_other(err, other)
  if not errors.is(err) then return end
  err.others = err.others or {}
  table.insert(err.others, other)
end

-- Their channels are closed last: an isolate that is cancelled is not to be told, when it
-- sends something, that nobody is there.
local function leave(group, err)
  local s = group.scope
  if not s then return end
  group.scope = nil
  s:cancel("its group of isolates is left")
  local ok, raised = raw.pcall(s.close, s, err)
  local has_error = not ok and not time.is_cancelled(raised)
  for i = 1, #group do
    group[i]:close()
    local failed, cause = isolate.failure(group[i])
    if failed and has_error then
      add_other(raised, cause)
    elseif failed then
      ok, has_error, raised = false, true, cause
    end
  end
  if not ok then error(raised, 0) end
end

--- Cancel all isolates and wait until their threads have ended. Leaving the block that
--- holds the group does the same. If an isolate failed, in its cleanup, too, and nobody has
--- received its error, it is raised here. Further ones stand in the `others` of the first;
--- all do in those of an error by which the block is left, while a cancellation or a timeout
--- gives way to them.
--- By itself no checkpoint.
---@async
function Group:close() leave(self) end

Group.__close = leave

local isolates = {}

--- Start isolates: each calls the function that the module returns, with its end of a
--- channel. It ends when that function returns; leaving the block cancels it, and waits for
--- it. An error in an isolate closes its channel, with that error as the cause: whoever
--- receives from it gets what was sent before, then the error.
---
---     local group <close> = neap.isolates(4, "resize", { capacity = 64 })
---
--- An isolate in which all tasks wait for something that cannot come has failed with kind
--- `deadlock`.
---@async
---@param count integer  How many, 1 to 256.
---@param module string  Found by `require` as it is here.
---@param opts? neap.isolates.Options
---@return neap.Isolates
---@nodiscard
function isolates.open(count, module, opts)
  opts = options.check("neap.isolates", opts, OPTIONS)
  if math.type(count) ~= "integer" or count < 1 or count > MAX then
    errors.usage(("neap.isolates: count: whole number in 1 .. %d expected, got %s")
      :format(MAX, tostring(count)))
  elseif type(module) ~= "string" then
    errors.usage("neap.isolates: module: string expected, got " .. type(module))
  end
  time.check()

  local group = { last = 0 }
  for i = 1, count do group[i] = isolate.new(opts.capacity or CAPACITY) end
  group.scope = scope.open({ name = "isolates of " .. module })
  for i = 1, count do
    group.scope:spawn({ name = ("isolate %d of %s"):format(i, module) }, serve, group.scope, group[i], module)
  end
  return setmetatable(group, Group)
end

return isolates
