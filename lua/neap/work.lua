--- Lua that needs a processor for long, on other threads.
--- Tasks share one thread, so that one which only computes holds up all others.
--- `neap.work` runs such a function in an isolate, a Lua state of its own:
---
---     local digest = neap.work(function(text, rounds)
---       local sha = require("sha256")
---       for _ = 1, rounds do text = sha.hex(text) end
---       return text
---     end, document, 100000)
---
--- There are as many threads as processors; the variable `NEAP_WORK_THREADS` of the
--- environment says otherwise. They are started when they are needed. At most 1024 calls
--- of a host are queued or run; the next one waits, first come, first served.
---
--- What crosses is copied, as a tree: nil, booleans, numbers (an integer stays one),
--- strings, tables of these, error objects, `json.null` and what `json.array` marked. A
--- table that is reached twice arrives as two. Functions, userdata, coroutines, other
--- metatables, cycles and more than 200 tables inside one another raise `usage`, with the
--- place: `argument 2.items[3].price`.

local core = require("neap.core.work")

local work = {}

--- Run a function on another thread and return what it returns; the task waits.
--- The function gets copies of the arguments, and its results come back as copies. It may
--- use no local variable of the code around it, which raises `usage` and names them. It
--- sees Lua's libraries, `require` and what `neap.with` has bound here, as far as that can
--- be copied. Globals that it sets are gone when it ends; a module that it requires is
--- loaded once for each thread and keeps what it knows. It cannot suspend: whatever would
--- have to wait raises `usage`.
---
--- `"module.function"` names a function that a module has: it is required there.
---
--- An error that it raises is raised here, as a copy, an error object with its traceback.
--- When the task is cancelled, or a deadline passes, this call raises at once and the
--- function is interrupted, within about 100 ms. A C function in which it is then is not:
--- it keeps its thread until it returns.
---@async
---@param fn function|string  A Lua function, or `"module.function"`.
---@param ... any  Passed to it, as copies.
---@return any ...  What it returned, as copies.
function work.run(fn, ...) return core.run(fn, ...) end

---@class neap.PoolStats
---@field limit integer    Threads at most.
---@field threads integer  Threads that have been started.
---@field busy integer     Threads that run a call.
---@field kept integer     Of those: with a call whose task has been cancelled.
---@field queued integer   Calls that wait for a thread.
---@field waiting integer  Calls that wait for a place in the queue.

--- How busy the threads are. They serve all hosts of the process.
---@return neap.PoolStats
---@nodiscard
function work.stats() return core.stats() end

return work
