---@meta neap.core.error

local error = {}

---@param kind string
---@param message string
---@param fields? neap.error.Fields
---@return neap.Error
---@nodiscard
function error.new(kind, message, fields) end

---@param value any
---@param kind? string
---@return boolean
function error.is(value, kind) end

--- Raise kind `usage`, blamed on the line of the script that called the library.
---@param message string
function error.usage(message) end

--- A message handler for `xpcall`: keeps where the error began.
---@param err any
---@return any err
function error.handler(err) end

--- What `tostring` says, for a message about what a script has raised: a `__tostring` that
--- raises or would wait does not get into the way of that.
---@param value any
---@return string
function error.describe(value) end

return error
