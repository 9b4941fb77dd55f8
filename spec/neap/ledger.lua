--- For specs that try many orders and cancellations: primitives that keep books. Whatever
--- happens to the tasks that use them, in the end the books must balance: no value is
--- lost or doubled, no permit kept, and nobody is where another one is.

local neap = require("neap")

---@class spec.Ledger
---@field problems string[]  What does not balance.
---@field values spec.Value[]  All that anybody wanted to send.
local Ledger = {}
Ledger.__index = Ledger

---@class spec.Value
---@field id integer
---@field sent boolean?  The send returned: it is no longer the sender's.
---@field taken integer  How often it was received.
---@field dropped integer  How often it was given to `on_undelivered`.

local ledger = {}

---@return spec.Ledger
function ledger.new()
  return setmetatable({ problems = {}, values = {}, books = {} }, Ledger)
end

function Ledger:problem(form, ...)
  self.problems[#self.problems + 1] = form:format(...)
end

--- Settle all books, and raise if there is a problem.
function Ledger:check()
  for _, book in ipairs(self.books) do book:settle() end
  for _, value in ipairs(self.values) do
    local left, expected = value.taken + value.dropped, value.sent and 1 or 0
    if left ~= expected then
      self:problem("value %d: sent %s, received %d times, undelivered %d times", value.id,
        tostring(value.sent or false), value.taken, value.dropped)
    end
  end
  if #self.problems > 0 then error(table.concat(self.problems, "\n"), 2) end
end

-- Raise as if it had never been caught.
local function pass(ok, ...)
  if not ok then error((...), 0) end
  return ...
end

-- Call `fn` before the enclosing block is left, whatever leaves it.
local function at_exit(fn)
  return setmetatable({}, { __close = fn })
end

--- Channels -------------------------------------------------------------------------------

local Channel = {}
Channel.__index = Channel

--- A channel whose values are accounted for.
function Ledger:channel(opts)
  local book = setmetatable({ ledger = self, last = setmetatable({}, { __mode = "k" }) }, Channel)
  opts = opts or {}
  opts.on_undelivered = function(value) value.dropped = value.dropped + 1 end
  book.channel = neap.channel(opts)
  self.books[#self.books + 1] = book
  return book
end

function Channel:mint()
  local values = self.ledger.values
  local value = { id = #values + 1, taken = 0, dropped = 0 }
  values[value.id] = value
  return value
end

-- `by` is the one who received it: to each, values come in the order of their sending.
function Channel:take(by, value)
  if value == nil then return nil end
  value.taken = value.taken + 1
  if (self.last[by] or 0) > value.id then
    self.ledger:problem("value %d came after value %d", value.id, self.last[by])
  end
  self.last[by] = value.id
  return value
end

---@async
function Channel:send()
  local value = self:mint()
  self.channel:send(value)
  value.sent = true
end

function Channel:try_send()
  local value = self:mint()
  value.sent = self.channel:try_send(value)
end

---@async
function Channel:recv(by) return self:take(by, (self.channel:recv())) end

---@async
function Channel:recv_within(by, d) return self:take(by, (self.channel:recv_within(d))) end

function Channel:try_recv(by) return self:take(by, (self.channel:try_recv())) end

function Channel:on_recv(by)
  return self.channel:on_recv(function(value) return self:take(by, value) end)
end

function Channel:on_send()
  local value = self:mint()
  return self.channel:on_send(value, function() value.sent = true end)
end

function Channel:settle()
  local by = {}
  repeat
    local _, value = pcall(self.try_recv, self, by)     -- it may be closed by an error
  until type(value) ~= "table" or not value.taken
end

--- Locks ----------------------------------------------------------------------------------

local Mutex = {}
Mutex.__index = Mutex

--- A mutex that tells who overtook whom, and whether two are inside.
function Ledger:mutex()
  local book = setmetatable({ ledger = self, mutex = neap.mutex(), queue = {} }, Mutex)
  self.books[#self.books + 1] = book
  return book
end

function Mutex:ask()
  local ticket = {}
  self.queue[#self.queue + 1] = ticket
  return ticket
end

function Mutex:withdraw(ticket)
  for i, other in ipairs(self.queue) do
    if other == ticket then table.remove(self.queue, i) end
  end
end

-- One who asked earlier and is passed over may have been cancelled, but not get in later.
function Mutex:enter(ticket)
  if ticket.is_overtaken then self.ledger:problem("mutex: served out of turn") end
  for _, other in ipairs(self.queue) do
    if other == ticket then break end
    other.is_overtaken = true
  end
  self:withdraw(ticket)
  self:occupy()
end

function Mutex:occupy()
  if self.is_inside then self.ledger:problem("mutex: two are inside") end
  self.is_inside = true
end

-- Call `fn` inside; the mutex is locked.
function Mutex:inside(guard, ticket, fn, ...)
  local _ <close> = guard
  self:enter(ticket)
  local _ <close> = at_exit(function() self.is_inside = false end)
  return fn(...)
end

---@async
function Mutex:run(fn, ...)
  local ticket = self:ask()
  local ok, guard = neap.raw.pcall(self.mutex.lock, self.mutex)
  if not ok then self:withdraw(ticket) end
  return self:inside(pass(ok, guard), ticket, fn, ...)
end

function Mutex:on_lock(fn, ...)
  local ticket, args = self:ask(), table.pack(...)
  return self.mutex:on_lock(function(guard)
    return self:inside(guard, ticket, fn, table.unpack(args, 1, args.n))
  end), ticket
end

--- Inside of `run`: wait for a condition of this mutex. It is locked again afterwards.
---@async
function Mutex:wait(condition)
  self.is_inside = false
  local ok, err = neap.raw.pcall(condition.wait, condition)
  self:occupy()
  return pass(ok, err)
end

function Mutex:settle()
  local guard = self.mutex:try_lock()
  if guard then guard:release() else self.ledger:problem("mutex: locked for ever") end
end

local Semaphore = {}
Semaphore.__index = Semaphore

--- A semaphore that counts with it.
function Ledger:semaphore(slots)
  local book = setmetatable({ ledger = self, slots = slots, held = 0,
    semaphore = neap.semaphore(slots) }, Semaphore)
  self.books[#self.books + 1] = book
  return book
end

function Semaphore:inside(guard, n, fn, ...)
  local _ <close> = guard
  self.held = self.held + n
  local _ <close> = at_exit(function() self.held = self.held - n end)
  if self.held > self.slots then self.ledger:problem("semaphore: %d of %d", self.held, self.slots) end
  return fn(...)
end

---@async
function Semaphore:run(n, fn, ...)
  return self:inside(self.semaphore:acquire(n), n, fn, ...)
end

function Semaphore:on_acquire(fn, ...)
  local args = table.pack(...)
  return self.semaphore:on_acquire(function(guard)
    return self:inside(guard, 1, fn, table.unpack(args, 1, args.n))
  end)
end

function Semaphore:settle()
  local permit = self.semaphore:try_acquire(self.slots)
  if permit then permit:release() else self.ledger:problem("semaphore: a permit is lost") end
end

local RwLock = {}
RwLock.__index = RwLock

--- A lock for readers and writers that watches them.
function Ledger:rwlock()
  local book = setmetatable({ ledger = self, lock = neap.rwlock(), readers = 0, writers = 0 }, RwLock)
  self.books[#self.books + 1] = book
  return book
end

---@async
function RwLock:read(fn, ...)
  local _ <close> = self.lock:read()
  self.readers = self.readers + 1
  local _ <close> = at_exit(function() self.readers = self.readers - 1 end)
  if self.writers > 0 then self.ledger:problem("rwlock: a reader beside a writer") end
  return fn(...)
end

---@async
function RwLock:write(fn, ...)
  local _ <close> = self.lock:write()
  self.writers = self.writers + 1
  local _ <close> = at_exit(function() self.writers = self.writers - 1 end)
  if self.writers + self.readers > 1 then self.ledger:problem("rwlock: a writer beside another") end
  return fn(...)
end

function RwLock:settle()
  local guard = self.lock:try_write()
  if guard then guard:release() else self.ledger:problem("rwlock: locked for ever") end
end

--- Tasks ------------------------------------------------------------------------------------

-- All tasks of the tree, but not those above the running one.
local function count_below(node)
  local count = 0
  for _, child in ipairs(node.children or {}) do count = count + 1 + count_below(child) end
  return count
end

--- Report tasks that are left: there must be none but the spec's own.
function Ledger:check_alone()
  local left = count_below(neap.tasks()) - 1
  if left > 0 then self:problem("%d tasks are left", left) end
end

return ledger
