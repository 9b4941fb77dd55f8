---@meta neap.core.host

local host = {}

--- The version of the host.
---@type string
host.version = nil

--- Lua's own functions as they were before the host or a script replaced any: `pcall`,
--- `xpcall`, `coroutine`, `string`, `os`, `io`. A protected call from here catches
--- cancellations, too.
---@type table<string, any>
host.raw = nil

--- The loop ends with this status when the running task suspends.
---@param status integer
function host.stop(status) end

--- The text of a file below lua/ in the binary, or nil.
---@param name string
---@return string?
function host.embedded(name) end

--- The names of all of them, sorted.
---@return string[]
function host.embedded_list() end

--- End the process at once, without cleanup: `os.exit`.
---@param status? integer|boolean
function host.exit(status) end

--- Whether a person sits at the other end of standard input (0), output (1) or the error
--- output (2): false if it is a file, a pipe or closed.
---@param fd integer  0, 1 or 2; anything else raises kind `usage`.
---@return boolean
function host.is_tty(fd) end

--- Has all that was printed so far been written?
---@return boolean
function host.flush() end

--- Call `fn` when no task can go on; it returns true if one can now.
---@param fn fun(): boolean
function host.on_deadlock(fn) end

--- Where an error began, and where the tasks above were spawned, or nil.
---@param err any
---@return string?
function host.traceback(err) end

--- Call `fn(...)`, which cannot wait: that raises kind `usage`.
---@param fn fun(...): ...
---@param ... any
---@return any ...
function host.call_at_once(fn, ...) end

return host
