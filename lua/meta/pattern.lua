---@meta neap.core.pattern

--- `find`, `match`, `gmatch` and `gsub`, which the host puts into `string`.
--- They are Lua 5.4's, errors included, with one difference: a task whose deadline has
--- passed, or that is cancelled, does not stay in them; the cancellation is raised there.
--- None is a checkpoint. The replacement function of `gsub` cannot wait.
---@class neap.core.pattern
local pattern = {}

--- The first match of `text` in `s`.
---@param s string
---@param text string  A pattern; with `plain`, bytes as they stand.
---@param init? integer  Where to begin, from 1; negative: from the end.
---@param plain? boolean
---@return integer? first  `nil`: no match.
---@return integer? last
---@return string|integer ...  Its captures; an integer is a position.
function pattern.find(s, text, init, plain) end

--- The captures of the first match, or the match if it has none.
---@param s string
---@param text string
---@param init? integer
---@return string|integer|nil ...  `nil`: no match.
function pattern.match(s, text, init) end

--- Walk over all matches. A `^` in front is no anchor here.
---@param s string
---@param text string
---@param init? integer
---@return fun(): string|integer|nil, ...
function pattern.gmatch(s, text, init) end

--- Replace the matches.
---@param s string
---@param text string
---@param by string|number|table|function  A string with `%0` to `%9` and `%%`; else what a table
---  holds at the first capture, or a function returns for all: `false` and `nil` keep the match.
---@param n? integer  At most so many.
---@return string result
---@return integer count
function pattern.gsub(s, text, by, n) end

return pattern
