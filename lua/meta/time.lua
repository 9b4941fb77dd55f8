---@meta neap.core.time

--- Seconds (`0.25`), `math.huge` for no limit, or text: `"250ms"`, `"1m30s"`, `"3d"`.
---@alias neap.Duration number|string

local time = {}

--- Wait for so long, and let others run.
---@async
---@param d neap.Duration
function time.sleep(d) end

--- Let all others that are ready run first.
---@async
function time.yield() end

--- A checkpoint that does not wait, for primitives written in Lua.
---@async
---@param op string  What a message calls it: `"neap.all"`.
function time.checkpoint(op) end

--- Raise if the task is cancelled here. Lets nobody run.
function time.check() end

--- Why the running task is cancelled here, or nil. Under a shield only its own deadline counts.
---@return neap.Reason?
function time.cancelled() end

--- Is the value the cancellation of the running task?
---@param value any
---@return boolean
function time.is_cancelled(value) end

--- The wall clock: seconds since the epoch, 1970-01-01T00:00:00Z.
---@return number seconds
---@nodiscard
function time.now() end

--- A clock that never goes back, for measuring: seconds since some start.
---@return number seconds
---@nodiscard
function time.monotonic() end

--- Time left to the deadline that holds here, or nil without one.
---@return number? seconds
---@nodiscard
function time.remaining() end

--- Chance, as `math.random`: in [0, 1); from 1 to `m`; from `m` to `n`; with 0 any integer.
---@param m? integer
---@param n? integer
---@return number
---@nodiscard
function time.random(m, n) end

--- A new UUID of version 7. Sorted as text they are in the order of time.
---@return string
---@nodiscard
function time.uuid() end

return time
