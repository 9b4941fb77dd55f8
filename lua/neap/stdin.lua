--- Standard input, without blocking: `for line in neap.stdin:lines() do ... end`.
--- It may be a terminal, a pipe, or a file. While one task waits for input, others go on.
--- Input that was read ahead is not seen by `io.read`, nor by child processes: use one of them.
--- Its methods are those of every stream: `neap help stream`.

local stream = require("neap.core.stream")

--- Bytes in order: standard input, a file that is open, a pipe of a child process.
---@class neap.Stream: neap.core.Stream

---@type neap.Stream
local stdin = stream.stdin()

return stdin
