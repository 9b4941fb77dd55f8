--- C functions that block, on threads of their own.
--- A C library that reads from a device or asks a name server in its own way holds up
--- every task while it waits. `neap.blocking` calls one of its functions elsewhere:
---
---     local address = neap.blocking(resolver.lookup, "example.org")
---
--- There are 16 threads at most; the variable `NEAP_BLOCKING_THREADS` of the environment
--- says otherwise. They are started when they are needed. At most 1024 calls of a host are
--- queued or run; the next one waits, first come, first served. What crosses is copied as
--- `neap.work` does it.

local core = require("neap.core.blocking")

local blocking = {}

--- Call a C function on another thread and return what it returns; the task waits.
--- It gets copies of the arguments in a Lua state that has Lua's libraries and nothing of
--- the script's; its results and what it raises come back as copies. A Lua function, and a
--- C function with upvalues, raise `usage`.
---
--- When the task is cancelled, or a deadline passes, this call raises at once. The function
--- goes on, keeps its thread until it returns, and its result is dropped.
---
--- `os.execute` makes the C library ignore SIGINT in the whole process until the program has
--- ended; `neap.process` does not.
---@async
---@param fn function  A C function.
---@param ... any  Passed to it, as copies.
---@return any ...  What it returned, as copies.
function blocking.run(fn, ...) return core.run(fn, ...) end

--- How busy the threads are. They serve all hosts of the process.
---@return neap.PoolStats
---@nodiscard
function blocking.stats() return core.stats() end

return blocking
