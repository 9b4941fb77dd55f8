---@meta neap.core.proc

---@class neap.core.Process
---@field pid integer
---@field name string  The program, as it was called.
---@field stdin neap.Stream?  To be written, then closed; nil if it was given another.
---@field stdout neap.Stream?
---@field stderr neap.Stream?
local Process = {}

--- Wait until it has ended. Its streams stay open.
---@async
---@return integer? status  Its exit status; nil if a signal ended it.
---@return string? signal  That signal: `"SIGKILL"`.
function Process:wait() end

--- Send a signal to it, and to what it has started.
---@param signal? string  By default `"SIGTERM"`.
---@return boolean sent  False if it had ended.
function Process:kill(signal) end

--- Stop it: SIGTERM, and SIGKILL when it has not ended after its grace. Waits for its end,
--- also in a cancelled task, and closes its streams. Harmless if it has ended.
--- By itself no checkpoint.
---@async
function Process:close() end

local proc = {}

proc.methods = Process

--- See `neap.process.spawn`.
---@async
---@param args string[]
---@param cwd string?
---@param env string[]?  Changes: `"NAME=value"`, or `"NAME"` to leave it out.
---@param stdin integer  0: a pipe, 1: the host's, 2: nothing.
---@param stdout integer
---@param stderr integer  Also 3: where standard output goes.
---@param group boolean  It leads a process group.
---@param grace neap.Duration
---@param op string  The function that was called, for errors.
---@return neap.core.Process
function proc.spawn(args, cwd, env, stdin, stdout, stderr, group, grace, op) end

return proc
