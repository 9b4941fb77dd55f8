--- JSON, exactly: what is written reads back as the same value, digit by digit.
--- Integers keep their 64 bits and floats always have a point or an exponent, so
--- the two never turn into each other. Keys come in sorted order: equal values
--- have equal texts. What has no JSON form raises and is named by its place,
--- `$.items[2].price`; nothing is dropped or rounded silently.

local core = require("neap.core.json")
local errors = require("neap.core.error")
local expect = require("neap.expect")

local json = {}

---@class neap.json.Limits
---@field max_depth? integer  Tables inside one another, 1 to 1000 (64).
---@field max_bytes? integer  Bytes of the text, 1 to 2147483647 (8 MiB).

---@class neap.json.LinesOptions: neap.json.Limits
---@field name? string  Of the file: errors begin with it and the line, `orders.jsonl:12: `.

---@class neap.json.EncodeOptions: neap.json.Limits
---@field pretty? boolean  On several lines, as with `indent = 2` (false).
---@field indent? integer  Spaces a level, 1 to 16; 0 writes one line (0).

--- Stands for `null`, which nil cannot: a field that is nil is not there. It is
--- true in a condition, so compare: `if order.paid_at == json.null then`.
---@type lightuserdata
json.null = core.null

--- Write a value as JSON text.
--- A table with the keys 1..n is an array, any other with string keys an object;
--- the empty table is `{}`, `json.array {}` is `[]`. Raises kind `json` and the
--- place of what has no JSON form: nil, NaN, infinities, text that is not UTF-8,
--- holes, mixed or other keys, functions, coroutines, userdata, cycles,
--- metatables. Raises also when a limit is passed.
---@type fun(value: any, opts?: neap.json.EncodeOptions): string
json.encode = core.encode

--- Read a JSON text.
--- Numbers without point and exponent are integers, all others floats; one that
--- does not fit raises. The empty array gets the mark of `json.array`, so it is
--- written as `[]` again; `null` becomes `json.null`, never nil. Raises kind
--- `json` with line and column: what is not JSON, text that is not UTF-8, a key
--- that stands twice, a limit that is passed.
---@type fun(text: string, opts?: neap.json.Limits): any
json.decode = core.decode

--- Mark a table as an array, so that it is written as `[...]` even while it is
--- empty. Without an argument it makes one. The mark is the table's metatable; a
--- table that has another raises kind `usage`.
---@type fun(list?: table): table
json.array = core.array

--- Whether a value is written as an array: it has the mark, or begins with `[1]`.
---@type fun(value: any): boolean
json.is_array = core.is_array

-- An iterator over the lines of a text, as io.lines gives them.
local function lines_of(text)
  local from = 1
  return function()
    if from > #text then return nil end
    local stop = text:find("\n", from, true) or #text + 1
    local line = text:sub(from, stop - 1)
    from = stop + 1
    return line
  end
end

--- Walk JSON lines: one value a line, blank lines are skipped.
---
---     for order, number in json.lines(io.lines("orders.jsonl")) do ... end
---
--- Raises as `json.decode` does, naming the number of the line. What an iterator gives to be
--- closed at the end of a loop, as io.lines does, is handed on: a loop that is left early
--- closes the file. Behind options Lua passes the iterator alone, so open the file first:
---
---     local file <close> = neap.fs.open(path)
---     for order in json.lines(file:lines(), { name = path }) do ... end
---
--- By itself no checkpoint.
---@async
---@param source string|fun(): string?  The text itself, or an iterator: a line a call.
---@param opts? neap.json.LinesOptions  The limits are those of each line.
---@param _ nil  What iterators give here.
---@param closing? any  What the loop has to close.
---@return fun(): any, integer  # Gives the value and the number of its line.
---@return nil
---@return nil
---@return any closing
---@nodiscard
---@overload fun(source: string|(fun(): string?), opts?: neap.json.LinesOptions): fun(): any, integer
function json.lines(source, opts, _, closing)
  local max_depth, max_bytes, name = core.line_options(opts)
  local next_line, number = source, 0
  if type(source) == "string" then
    next_line = lines_of(source)
  elseif not expect.is_callable(source) then
    errors.usage("neap.json.lines: source: string or iterator expected, got " .. type(source))
  end

  local function next_value()
    while true do
      local line = next_line()
      if line == nil then return nil end
      number = number + 1
      if type(line) ~= "string" then
        errors.usage(("neap.json.lines: line %d: the source gave a %s, not a string")
          :format(number, type(line)))
      end
      if line:find("[^ \t\r]") then
        return core.decode_line(line, number, max_depth, max_bytes, name), number
      end
    end
  end
  return next_value, nil, nil, closing
end

return json
