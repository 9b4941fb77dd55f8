---@meta neap.core.select

--- Something that a select can wait for: made by `on_recv`, `on_send`, `on_await` and their
--- like, and by `neap.after`. It may be used in any number of selects.
---@class neap.Arm

---@class neap.select.Arms
---@field [integer] neap.Arm  At most 1,000.
---@field default? async fun(): ...  Called instead of waiting when no arm is ready.
---@field fair? boolean  Begin after the arm that won at this place the last time.

local select = {}

---@param duration neap.Duration
---@param handler? async fun(): ...
---@return neap.Arm
---@nodiscard
function select.after(duration, handler) end

--- Wait for the first arm. The caller runs its handler.
---@async
---@param arms neap.select.Arms
---@return function? handler
---@return integer index
---@return any ...  What the arm gives.
function select.select(arms) end

return select
