---@meta neap.core.stream

---@class neap.core.Stream
local Stream = {}

--- Read. Waits for as much as is wanted; at the end less may come, and then `nil, "eof"`.
--- One task reads a stream at a time. What a cancelled read would have returned is there for
--- the next. Raises kind `io`, `closed` if the stream is closed, also meanwhile, and `limit`
--- for a line, or all, that is too long; no byte is lost then either.
---@async
---@param what? "line"|"all"|"some"|integer  `"line"`: the next line, without its `\n` or `\r\n`;
---  the default. `"all"`: everything until the end, `""` if there is nothing. `"some"`: what is
---  there, at least a byte. A number: so many bytes, at most 2 GiB.
---@param opts? { max_line: integer?, max_bytes: integer? }  The longest line, by default 1 MiB;
---  the most that `"all"` reads, by default 64 MiB.
---@return string? bytes
---@return "eof"? reason
function Stream:read(what, opts) end

--- Walk over the lines. The loop may be left at any time; what follows stays to be read.
---@param opts? { max_line: integer? }  The longest line, in bytes; by default 1 MiB.
---@return async fun(): string?
---@nodiscard
function Stream:lines(opts) end

--- Write. Waits until the kernel has taken everything. One task writes at a time.
--- Raises kind `io`, with code `EPIPE` when nobody reads any more, and `closed`. A write that
--- is cancelled may have been done in part.
---@async
---@param data string
function Stream:write(data) end

--- Close it. Harmless when that has been done. A task that reads or writes gets kind `closed`.
function Stream:close() end

local stream = {}

stream.methods = Stream

--- The stream of standard input, always the same.
---@return neap.core.Stream
function stream.stdin() end

return stream
