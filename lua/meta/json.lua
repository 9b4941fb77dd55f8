---@meta neap.core.json

--- JSON text of Lua values, in C: see `neap.json`, which hands most of it on.
---@class neap.core.json
---@field null lightuserdata
local json = {}

---@param value any
---@param opts? neap.json.EncodeOptions
---@return string text
function json.encode(value, opts) end

---@param text string
---@param opts? neap.json.Limits
---@return any value
function json.decode(text, opts) end

--- Check the options of `json.lines` and give them, or what holds without them.
---@param opts? neap.json.LinesOptions
---@return integer max_depth
---@return integer max_bytes
---@return string? name
function json.line_options(opts) end

--- As `decode`, but of one line of several: errors name its number, and the file's name.
---@param text string
---@param number integer
---@param max_depth integer
---@param max_bytes integer
---@param name? string
---@return any value
function json.decode_line(text, number, max_depth, max_bytes, name) end

---@param list table
---@return table list
---@overload fun(): table
function json.array(list) end

---@param value any
---@return boolean
function json.is_array(value) end

return json
