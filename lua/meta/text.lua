---@meta neap.core.text

local text = {}

--- The string of the list that `name` was most likely meant to be, or nil.
---@param name string
---@param list any[]
---@return string?
function text.nearest(name, list) end

--- A duration in seconds, `math.huge` for none. Raises `usage` for what is none.
---@param value neap.Duration
---@param name string  What it is: begins the message, `"neap.step: timeout"`.
---@return number
function text.duration(value, name) end

return text
