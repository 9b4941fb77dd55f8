--- Cut Lua 5.4 source into tokens.
---
--- `lexer.next(source, pos)` gives the token at or after a position. There is no
--- state, so a parser looks ahead by calling twice. Positions are byte offsets;
--- whoever shows one to a person asks for its line then.

local lexer = {}

local byte, find, sub = string.byte, string.find, string.sub

-- A keyword, an operator or a bracket is its own kind. The other kinds are these.
lexer.NAME, lexer.STRING, lexer.NUMBER, lexer.EOF = "<name>", "<string>", "<number>", "<eof>"

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil
  not or repeat return then true until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

-- Each operator, and by its first byte the longest length that it may have.
local OPERATORS, LONGEST = {}, {}
for operator in ([[+ - * / % ^ # & ~ | < > = ( ) { } [ ] ; : , . == ~= <= >= // :: << >> .. ...]])
  :gmatch("%S+") do
  OPERATORS[operator] = true
  local first = byte(operator)
  LONGEST[first] = math.max(LONGEST[first] or 1, #operator)
end

--- Raise what makes a source no Lua, as `{ pos =, message = }`.
---@param pos integer
---@param message string
function lexer.fail(pos, message)
  error({ pos = pos, message = message }, 0)
end

-- The end of a long bracket that opens at `pos`, and where its text stands; nil if
-- none opens there.
local function long_bracket(source, pos)
  local _, open, level = find(source, "^%[(=*)%[", pos)
  if not open then return nil end
  local close, stop = find(source, "]" .. level .. "]", open + 1, true)
  if not close then lexer.fail(pos, "unfinished long string or comment") end
  return stop, open + 1, close - 1
end

-- The first position from `pos` on that is neither blank nor in a comment.
local function skip_blanks(source, pos)
  while true do
    local _, blanks = find(source, "^[ \t\r\n\v\f]+", pos)
    pos = blanks and blanks + 1 or pos
    if not find(source, "^%-%-", pos) then return pos end
    local stop = long_bracket(source, pos + 2)
    pos = stop and stop + 1 or find(source, "[\r\n]", pos) or #source + 1
  end
end

-- A string in quotes. Its value is known when no escape stands in it, which is
-- enough for every name that a rule looks at.
local function quoted(source, start)
  local quote = sub(source, start, start)
  local plain = quote == '"' and '^[^"\\\r\n]*' or "^[^'\\\r\n]*"
  local escapes = false
  local pos = start + 1
  while true do
    local _, stop = find(source, plain, pos)
    pos = stop + 1
    local char = sub(source, pos, pos)
    if char == quote then
      return lexer.STRING, start, pos, not escapes and sub(source, start + 1, pos - 1) or nil
    elseif char ~= "\\" then
      lexer.fail(start, "unfinished string")
    end
    escapes = true
    -- \z skips blanks; an escaped line end may be two bytes.
    local _, blanks = find(source, "^z%s*", pos + 1)
    if not blanks then _, blanks = find(source, "^\r\n", pos + 1) end
    if not blanks then _, blanks = find(source, "^\n\r", pos + 1) end
    pos = (blanks or pos + 1) + 1
  end
end

local function number(source, start)
  local hex = find(source, "^0[xX]", start)
  local _, stop = find(source, hex and "^0[xX][%x.]*" or "^[%d.]+", start)
  local _, exponent = find(source, hex and "^[pP][+-]?%d*" or "^[eE][+-]?%d*", stop + 1)
  stop = exponent or stop
  if find(source, "^[%w_.]", stop + 1) then lexer.fail(start, "malformed number") end
  return lexer.NUMBER, start, stop
end

local function operator(source, start)
  for length = LONGEST[byte(source, start)] or 0, 1, -1 do
    local text = sub(source, start, start + length - 1)
    if OPERATORS[text] then return text, start, start + length - 1 end
  end
  lexer.fail(start, "unexpected symbol")
end

--- Read the token at or after `pos`.
---@param source string
---@param pos integer
---@return string kind
---@return integer start
---@return integer stop  Its last byte; before `start` at the end of the source.
---@return string? value  Of a name; of a string without escapes.
function lexer.next(source, pos)
  local start = skip_blanks(source, pos)
  local _, stop = find(source, "^[%a_][%w_]*", start)
  if stop then
    local word = sub(source, start, stop)
    return KEYWORDS[word] and word or lexer.NAME, start, stop, word
  end

  local first = byte(source, start)
  if not first then return lexer.EOF, start, start - 1 end
  if first == 34 or first == 39 then return quoted(source, start) end
  if first == 91 then
    local last, text, text_stop = long_bracket(source, start)
    if last then return lexer.STRING, start, last, sub(source, text, text_stop) end
  end
  if find(source, "^%.?%d", start) then return number(source, start) end
  return operator(source, start)
end

return lexer
