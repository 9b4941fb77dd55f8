--- A task with state of its own, which others reach by messages: `s:actor`.

local channel = require("neap.core.chan")
local deferred = require("neap.core.deferred")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local raw = require("neap.core.host").raw
local options = require("neap.options")
local tasks = require("neap.core.task")
local time = require("neap.core.time")

---@class neap.actor.Options
---@field name? string  Of its task.
---@field guard? boolean  A crash does not fail the scope if somebody awaits it.
---@field capacity? integer  Messages that may wait; 64.

local OPTIONS = { "name", "guard", "capacity" }
local CAPACITY = 64

---@class neap.Actor
---@field private definition table
---@field private mailbox neap.Channel
---@field private task neap.Task
---@field private message table|false  The one that it handles.
---@field private has_ended boolean
---@field private crash? any  The error that ended it.
local Actor = {}
Actor.__index = Actor
Actor.__name = "neap.actor"

-- A message is { name, arguments ..., n = how many these are, reply = deferred or nil }. A
-- reply is open while its asker waits for it; it is not once that was cancelled.

local function closed_error(self, op)
  local why = self.crash ~= nil and "has crashed: " .. errors.describe(self.crash) or "has ended"
  return errors.new("closed", ("%s: the actor %s %s"):format(op, tostring(self.task), why),
    { op = op, code = "ECLOSED", cause = self.crash })
end

-- A method has raised. The asker, if it still waits, gets the error itself.
local function crash(self, reply, err)
  if err == nil then err = errors.new("error", "nil was raised") end
  self.crash = err
  if reply and reply:reject(err) then tasks.set_awaited(self.task) end
  self.mailbox:abort(err)
  error(err, 0)
end

local function answer(self, reply, ok, ...)
  if not ok then crash(self, reply, (...)) end
  if reply then reply:resolve(...) end
end

-- An asker that heard nothing would wait for ever: without memory for the error it gets
-- the lack of it.
local function refuse(self, message)
  if not (message and message.reply) then return end
  local _, err = raw.pcall(closed_error, self, "actor:ask")
  message.reply:reject(err)
end

-- What its task leaves behind, also when it was cancelled: nobody waits for it.
local function leave(self)
  if self.has_ended then return end
  self.has_ended = true
  local ok, err = raw.pcall(self.mailbox.abort, self.mailbox)
  refuse(self, self.message)
  if not ok then error(err, 0) end
end

local Leaving = { __close = function(leaving) leave(leaving.actor) end }

-- Handle messages until the mailbox is closed and empty.
local function work(self)
  for message in self.mailbox do
    local reply = message.reply
    if not reply or deferred.is_open(reply) then
      self.message = message
      answer(self, reply, xpcall(self.definition[message[1]], errors.handler, self.definition,
        table.unpack(message, 2, message.n)))
    end
  end
end

-- What its task runs. A supervisor may run it again: an actor that has ended does not come
-- back. It is left by __close when its task is killed; else before that, for which Lua
-- needs memory.
local function serve(self)
  if self.has_ended then return end
  local _ <close> = setmetatable({ actor = self }, Leaving)
  local ok, err = raw.xpcall(work, errors.handler, self)
  leave(self)
  if not ok then error(err, 0) end
end

local function check(self, what, name)
  if type(self.definition[name]) ~= "function" then
    local known = {}
    for key, value in pairs(self.definition) do
      if type(key) == "string" and type(value) == "function" then known[#known + 1] = key end
    end
    errors.usage(("%s: the actor %s has no method %s%s"):format(what, tostring(self.task),
      tostring(name), type(name) == "string" and options.hint(name, known) or ""))
  end
  if self.mailbox:is_closed() then
    time.checkpoint(what)
    error(closed_error(self, what), 0)
  end
end

--- Send a message and go on: the actor will call its method `name(self, ...)`, and
--- nobody hears what that returns. Waits while the mailbox is full.
--- Raises kind `closed` if the actor has crashed or its scope was left.
---@async
---@param name string
---@param ... any  Arguments; not copied.
function Actor:tell(name, ...)
  check(self, "actor:tell", name)
  local message = { name, n = select("#", ...) + 1, ... }
  if tasks.current() ~= self.task then return self.mailbox:send(message) end
  if not self.mailbox:try_send(message) then
    errors.usage("actor:tell: the mailbox of the running actor is full, and nobody else empties it")
  end
end

--- Send a message and wait for what the method returns.
--- If the method raises, the actor has crashed and its error is raised here, too. An
--- ask that still waits then raises kind `closed`, with the error as its `cause`, and so
--- does every later one. An ask that is cancelled before its turn is not carried out.
---@async
---@param name string
---@param ... any  Arguments; not copied.
---@return any ...
function Actor:ask(name, ...)
  check(self, "actor:ask", name)
  if tasks.current() == self.task then
    errors.usage("actor:ask: an actor that asks itself waits for ever; call the method")
  end
  local reply = deferred.new()
  self.mailbox:send({ name, n = select("#", ...) + 1, reply = reply, ... })
  return deferred.wait(reply)
end

local actor = {}

--- What `s:actor([opts,] definition)` is.
---@package
---@param s neap.Scope
---@param opts? neap.actor.Options
---@param definition table
---@return neap.Actor
function actor.open(s, opts, definition)
  if definition == nil then opts, definition = nil, opts end
  opts = options.check("scope:actor", opts, OPTIONS)
  if type(definition) ~= "table" then
    errors.usage("scope:actor: table of state and methods expected, got " .. type(definition))
  end
  local capacity = expect.count("scope:actor: capacity", opts.capacity or CAPACITY, 1)

  -- All fields but `crash`, for which there is room: setting them needs no memory.
  local self = setmetatable({ definition = definition, mailbox = false, task = false, message = false,
    has_ended = false }, Actor)
  self.mailbox = channel.new(capacity, "wait", function(message) refuse(self, message) end)
  self.task = s:spawn({ name = opts.name, guard = opts.guard }, serve, self)
  if self.task:status() == "cancelled" then
    self.mailbox:abort()
  else
    tasks.stand_by(self.task, function(is_over)
      if is_over then self.mailbox:abort() else self.mailbox:close() end
    end)
  end
  return self
end

return actor
