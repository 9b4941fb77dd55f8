--- The public names of Neap and of Lua's standard library, with the options that they take.
---
--- One table for everything that must know a name without running a script: the checks
--- of `neap check`, and completion at a prompt.
---
--- `api.types` maps the name of a module ("neap", "string") or of a class of objects
--- ("Scope") to `{ members = { ... }, module = bool }`. A member is a table of what is known
--- about it:
---
---     options   the names that its option table may have; one with a name of its own is
---               the list of a table inside: `{ "name", retry = { "attempts" } }`
---     at        which argument that table is
---     leads     it is options only with something behind it
---     returns   the type of what it returns
---     is        the type that it has itself, when it is no function
---     body      the types of the parameters of a function that it is given
---     block     it opens a block if it is given no function: its result must be closed
---     field     it is neither function nor type

local api = {}

local FIELD = { field = true }
local PLAIN = {}

-- Members of which no more than the name is known.
local function plain(names, members)
  members = members or {}
  for name in names:gmatch("%S+") do members[name] = members[name] or PLAIN end
  return members
end

local RETRY = { "attempts", "elapsed", "base", "factor", "max", "jitter", "on" }
local STEP = { "run", "undo", "on_exhausted", "timeout", "once", "reconcile", "heartbeat", "tx",
  retry = RETRY, undo_retry = RETRY, limit = { "key", "concurrency", "rate" } }
local CHILD = { "cwd", "env", "stdin", "stdout", "stderr", "grace" }
local SCOPE = { "name", "deadline", "deadline_at", "policy" }
local SUPERVISOR = { "name", "deadline", "deadline_at", "on_error",
  restart = { "strategy", "intensity", "period", "shutdown" } }
local FLOW = { returns = "Flow" }

api.types = {}

api.types["neap"] = { module = true, members = plain([[
    try all any race quorum settle yield check cancelled is_cancelled raw shield defer
    sleep now monotonic remaining random uuid timeout timeout_or with suspend work blocking
    exit is_tty signals tasks reject pivot args context retry_after]], {
  scope = { options = SCOPE, at = 1, returns = "Scope", body = { "Scope" }, block = true },
  supervisor = { options = SUPERVISOR, at = 1, returns = "Scope", body = { "Scope" }, block = true },
  app = { is = "Scope" },
  deferred = { returns = "Deferred" },
  map = { options = { "limit" }, at = 3 },
  isolates = { options = { "capacity" }, at = 3 },
  channel = { options = { "capacity", "on_full", "on_undelivered" }, at = 1, returns = "Channel" },
  broadcast = { options = { "replay", "capacity", "on_full" }, at = 1, returns = "Broadcast" },
  state = { returns = "State" },
  select = { options = { "default", "fair" }, at = 1 },
  after = PLAIN,
  flow = { returns = "Flow", is = "neap.flow" },
  mutex = { returns = "Mutex" },
  semaphore = { returns = "Semaphore" },
  rwlock = { returns = "RWLock" },
  event = { returns = "Event" },
  condition = { returns = "Condition" },
  latch = { returns = "Latch" },
  barrier = { returns = "Barrier" },
  error = { options = { "op", "code", "cause", "data", "others", "task", "traceback" }, at = 3 },
  saga = { options = { "timeout", retry = RETRY, undo_retry = RETRY }, at = 1 },
  step = { options = STEP, at = 2 },
  main = PLAIN,
  json = { is = "neap.json" },
  fs = { is = "neap.fs" },
  stdin = { is = "Stream" },
  process = { is = "neap.process" },
}) }

api.types["neap.flow"] = { module = true, members = { from = FLOW, new = FLOW } }
api.types["neap.json"] = { module = true, members = plain("array is_array", {
  encode = { options = { "max_depth", "max_bytes", "pretty", "indent" }, at = 2 },
  decode = { options = { "max_depth", "max_bytes" }, at = 2 },
  lines = { options = { "max_depth", "max_bytes", "name" }, at = 2 },
  null = FIELD,
}) }
api.types["neap.fs"] = { module = true, members = plain("exists rename", {
  read = { options = { "max_bytes" }, at = 2 },
  write = { options = { "append", "mode" }, at = 3 },
  replace = { options = { "mode" }, at = 3 },
  open = { returns = "Stream" },
  lines = { options = { "max_line" }, at = 2 },
  stat = { options = { "follow" }, at = 2 },
  list = { options = { "recursive", "max_names" }, at = 2 },
  mkdir = { options = { "mode" }, at = 2 },
  remove = { options = { "recursive" }, at = 2 },
  temp_dir = { returns = "TempDir" },
}) }

api.types.TempDir = { members = plain("remove", { path = FIELD }) }

api.types["neap.process"] = { module = true, members = {
  run = { options = { "timeout", "max_output", "check", table.unpack(CHILD) }, at = 1 },
  spawn = { options = CHILD, at = 1, returns = "Process" },
} }

api.types.Process = { members = plain("wait kill close", {
  pid = FIELD, name = FIELD, stdin = { is = "Stream" }, stdout = { is = "Stream" }, stderr = { is = "Stream" },
}) }

api.types.Stream = { members = plain("write close", {
  read = { options = { "max_line", "max_bytes" }, at = 2 },
  lines = { options = { "max_line" }, at = 1 },
}) }
api.types["neap.test"] = { module = true, members = plain(
  "advance elapsed run_until_idle real_time schedules") }

api.types.Scope = { members = plain("start cancel join close result extend", {
  spawn = { options = { "name", "guard", "lazy" }, at = 1, returns = "Task" },
  actor = { options = { "name", "guard", "capacity" }, at = 1, leads = true, returns = "Actor" },
  failures = FIELD, name = FIELD, deadline_at = FIELD,
}) }

api.types.Task = { members = plain("await outcome join cancel status result start on_await", {
  name = FIELD, id = FIELD,
}) }

api.types.Deferred = { members = plain("resolve reject await on_await") }
api.types.Actor = { members = plain("tell ask") }

api.types.Channel = { members = plain([[
    send recv recv_within close abort try_send try_recv len is_closed on_recv on_send]], {
  sender = { returns = "Channel" },
  receiver = { returns = "Channel" },
}) }

api.types.Broadcast = { members = plain("publish close", {
  subscribe = { returns = "Channel" },
}) }

api.types.State = { members = plain("set get changed") }

api.types.Flow = { members = plain("collect to_list first count reduce iter", {
  map = FLOW, filter = FLOW, filter_map = FLOW, take = FLOW, take_while = FLOW, drop = FLOW,
  distinct = FLOW, distinct_by = FLOW, scan = FLOW, flat_map = FLOW, merge = FLOW, zip = FLOW,
  window = FLOW, debounce = FLOW, sample = FLOW, buffer = FLOW, timeout = FLOW,
  catch = FLOW, on_each = FLOW, on_start = FLOW, on_completion = FLOW,
  chunk = { options = { "within" }, at = 2, returns = "Flow" },
  retry = { options = { "attempts", "base", "factor", "max", "jitter", "on" }, at = 1,
    returns = "Flow" },
  parallel_map = { options = { "limit", "ordered" }, at = 2, returns = "Flow" },
}) }

api.types.Mutex = { members = plain("lock try_lock release run on_lock") }
api.types.Semaphore = { members = plain("acquire try_acquire run on_acquire") }
api.types.RWLock = { members = plain("read write try_read try_write") }
api.types.Event = { members = plain("set clear is_set wait on_wait") }
api.types.Condition = { members = plain("wait notify notify_all") }
api.types.Latch = { members = plain("count_down wait") }
api.types.Barrier = { members = plain("wait") }

-- Lua 5.4's own. Modules that a script may require by these names, too. The last names of
-- math are older: Lua has them if it was built with LUA_COMPAT_MATHLIB, as distributions do.
local STANDARD = {
  coroutine = "close create isyieldable resume running status wrap yield",
  debug = [[debug gethook getinfo getlocal getmetatable getregistry getupvalue getuservalue
    sethook setcstacklimit setlocal setmetatable setupvalue setuservalue traceback upvalueid
    upvaluejoin]],
  io = "close flush input lines open output popen read stderr stdin stdout tmpfile type write",
  math = [[abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger
    modf pi rad random randomseed sin sqrt tan tointeger type ult
    atan2 cosh frexp ldexp log10 pow sinh tanh]],
  os = "clock date difftime execute exit getenv remove rename setlocale time tmpname",
  package = "config cpath loaded loadlib path preload searchers searchpath",
  string = [[byte char dump find format gmatch gsub len lower match pack packsize rep reverse sub
    unpack upper]],
  table = "concat insert move pack remove sort unpack",
  utf8 = "char charpattern codepoint codes len offset",
}
for name, members in pairs(STANDARD) do
  api.types[name] = { module = true, members = plain(members) }
end

--- The globals of every script: for a standard module its type, else true.
---@type table<string, string|true>
api.globals = {}
for name in ([[_G _VERSION arg assert collectgarbage dofile error getmetatable ipairs load loadfile
    next pairs pcall print rawequal rawget rawlen rawset require select setmetatable tonumber
    tostring type warn xpcall]]):gmatch("%S+") do
  api.globals[name] = true
end
for name in pairs(STANDARD) do api.globals[name] = name end

--- What busted adds in files whose name ends in `_spec.lua`.
api.spec_globals = plain([[after_each before_each context describe expose finally insulate it
    lazy_setup lazy_teardown match mock pending randomize setup spec spy strict_setup
    strict_teardown stub teardown test]])

--- What other versions of Lua had as globals, and where it is now.
---@type table<string, string>
api.moved = {
  unpack = "table.unpack", loadstring = "load", setfenv = "load", getfenv = "_ENV",
  bit32 = "the operators & | ~ << >>", module = "a local table",
}

--- The names of a type's members, for completion and for suggestions.
---@param type_name string
---@return string[] names  Sorted; empty for a type that is not known.
function api.members(type_name)
  local names, found = {}, api.types[type_name]
  for name in pairs(found and found.members or {}) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The names of a list of options.
---@param known table  As in `options` of a member.
---@return string[] names  Sorted.
function api.option_names(known)
  local names = table.move(known, 1, #known, 1, {})
  for name in pairs(known) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

return api
