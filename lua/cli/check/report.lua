--- Say where in a source something is, as compilers do.
---
---     order.lua:3:7: undefined global "prnit"; did you mean "print"?
---       then prnit(x) end
---            ^~~~~

local report = {}

-- Columns of a source line that are shown: a line of megabytes is cut around the place.
local WIDTH = 100

-- How many characters a text has; bytes, if it is no UTF-8.
local function width(text)
  return utf8.len(text) or #text
end

-- The end of the line that `pos` is in, and where the next begins. Lua takes \r\n and
-- \n\r for one end of a line.
local function line_end(source, pos)
  local stop = source:find("[\r\n]", pos)
  if not stop then return #source, nil end
  local pair = source:sub(stop, stop + 1)
  return stop - 1, stop + ((pair == "\r\n" or pair == "\n\r") and 2 or 1)
end

--- Find the lines and columns of several places in one pass.
---@param source string
---@param places { pos: integer }[]  Sorted; each gets `line`, `column` in characters, and
---  `from` and `to`, the first and last byte of that line.
function report.locate(source, places)
  local line, from = 1, 1
  local to, next_line = line_end(source, from)
  local counted, column = from, 1 -- Up to where characters of this line are counted.
  for _, place in ipairs(places) do
    while next_line and place.pos >= next_line do
      line, from = line + 1, next_line
      to, next_line = line_end(source, from)
      counted, column = from, 1
    end
    column = column + width(source:sub(counted, place.pos - 1))
    counted = place.pos
    place.line, place.column, place.from, place.to = line, column, from, to
  end
end

--- Find where a line begins.
---@param source string
---@param number integer
---@return integer from
---@return integer to  Before `from` if the line is empty.
function report.line(source, number)
  local from = 1
  local to, next_line = line_end(source, from)
  for _ = 2, number do
    if not next_line then break end
    from = next_line
    to, next_line = line_end(source, from)
  end
  return from, to
end

-- A text in which nothing moves the cursor or speaks to the terminal.
local function printable(text)
  return (text:gsub("[%c\127]", function(c) return c == "\t" and " " or "?" end))
end

-- The first byte of the character that the byte at `pos` belongs to, not before `from`.
local function character(source, pos, from)
  while pos > from and source:find("^[\x80-\xBF]", pos) do pos = pos - 1 end
  return pos
end

--- Write a message with the line that it is about.
---@param out { write: fun(self, ...: string) }
---@param path string
---@param source string
---@param place table  As `report.locate` leaves it, with `pos`, `stop` and `message`.
function report.write(out, path, source, place)
  out:write(("%s:%d:%d: %s\n"):format(printable(path), place.line, place.column,
    printable(place.message)))

  local from = place.from
  if place.pos - from > WIDTH / 2 and place.to - from >= WIDTH then
    from = character(source, place.pos - WIDTH // 2, from)
  end
  local to = math.min(place.to, from + WIDTH - 1)
  if to < place.to then to = character(source, to + 1, from) - 1 end
  local shown = source:sub(from, to)
  if not shown:find("%S") then return end

  local before = width(source:sub(from, place.pos - 1))
  local marked = width(source:sub(place.pos, math.min(place.stop or place.pos, to)))
  out:write("  ", printable(shown), "\n")
  out:write("  ", (" "):rep(before), "^", ("~"):rep(marked - 1), "\n")
end

return report
