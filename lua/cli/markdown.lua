--- Show Markdown on a terminal: what the pages and the reference are written in.
---
--- Understood are headings, paragraphs, lists, tables, fenced and indented code, and in a
--- line **bold**, *emphasis*, `code` and [links](to). Everything is wrapped but code.

local markdown = {}

---@class cli.Terminal
---@field width integer  Columns.
---@field bold boolean  Whether it understands the escape sequence for bold.

-- Bold begins and ends at these bytes until the lines are broken: they have no width.
local BOLD, PLAIN = "\1", "\2"

local function width(text)
  local visible = text:gsub("[\1\2]", "")
  return utf8.len(visible) or #visible
end

-- Code keeps its stars: it is taken out while the others are looked for.
local function inline(text)
  local codes = {}
  text = text:gsub("`[^`]*`", function(code)
    codes[#codes + 1] = code
    return ("\3%d\3"):format(#codes)
  end)
  text = text:gsub("%*%*(%S.-)%*%*", BOLD .. "%1" .. PLAIN)
  text = text:gsub("%f[%*%w]%*(%w[^*]-)%*%f[^%*]", "%1")
  text = text:gsub("%[([^%]]+)%]%(([^)]+)%)", function(words, target)
    if target:find("^%a+://") and target ~= words then return ("%s (%s)"):format(words, target) end
    return words
  end)
  return (text:gsub("\3(%d+)\3", function(i) return codes[tonumber(i)] end))
end

-- Break a text into lines of at most `columns`; a longer word stands alone.
local function wrap(text, columns)
  local lines, line, length = {}, nil, 0
  for word in text:gmatch("%S+") do
    local size = width(word)
    if line and length + 1 + size <= columns then
      line, length = line .. " " .. word, length + 1 + size
    else
      lines[#lines + 1] = line
      line, length = word, size
    end
  end
  lines[#lines + 1] = line
  return lines
end

---@class cli.Page
---@field lines string[]
---@field columns integer
local Page = {}
Page.__index = Page

-- An empty line between blocks, none at the start.
function Page:gap()
  if #self.lines > 0 and self.lines[#self.lines] ~= "" then self.lines[#self.lines + 1] = "" end
end

-- A wrapped text: `first` stands before its first line, as many blanks before the others.
function Page:text(first, text)
  local hang = (" "):rep(width(first))
  for i, line in ipairs(wrap(inline(text), self.columns - #hang)) do
    self.lines[#self.lines + 1] = (i == 1 and first or hang) .. line
  end
end

-- Blocks: each gets the lines of the source and where it begins, and says where it ends.

local function fence(page, source, i)
  local mark = source[i]:match("^%s*(```+)")
  page:gap()
  i = i + 1
  while source[i] and not source[i]:find("^%s*" .. mark) do
    page.lines[#page.lines + 1] = source[i] ~= "" and "    " .. source[i] or ""
    i = i + 1
  end
  page:gap()
  return i + 1
end

local function indented(page, source, i)
  page:gap()
  while source[i] and (source[i]:find("^    ") or source[i] == "" and (source[i + 1] or ""):find("^    ")) do
    page.lines[#page.lines + 1] = source[i]
    i = i + 1
  end
  page:gap()
  return i
end

local function heading(page, source, i)
  page:gap()
  local words = source[i]:match("^#+%s*(.-)%s*#*$"):gsub("`", "")
  page:text("", BOLD .. words .. PLAIN)
  page:gap()
  return i + 1
end

local function cells_of(row)
  local cells = {}
  row = row:match("^%s*|(.-)|?%s*$"):gsub("\\|", "\4")
  for cell in (row .. "|"):gmatch("(.-)|") do
    cells[#cells + 1] = inline((cell:match("^%s*(.-)%s*$"):gsub("\4", "|")))
  end
  return cells
end

-- Columns are as wide as needed; while a row is wider than the page, the widest one is made
-- narrower, and its cells wrapped.
local GAP, NARROWEST = 2, 16

local function fit(widths, columns)
  local total = -GAP
  for _, size in ipairs(widths) do total = total + size + GAP end
  while total > columns do
    local widest = 1
    for column, size in ipairs(widths) do
      if size >= widths[widest] then widest = column end
    end
    if widths[widest] <= NARROWEST then return end
    widths[widest] = widths[widest] - 1
    total = total - 1
  end
end

-- The lines of a row, each cell wrapped to the width of its column.
local function row_lines(cells, widths)
  local wrapped, height = {}, 1
  for column, cell in ipairs(cells) do
    wrapped[column] = wrap(cell, widths[column])
    height = math.max(height, #wrapped[column])
  end
  local lines = {}
  for k = 1, height do
    local line = ""
    for column = 1, #cells do
      local text = wrapped[column][k] or ""
      line = line .. text .. (" "):rep(math.max(widths[column] - width(text), 0) + GAP)
    end
    lines[k] = line:match("^(.-)%s*$")
  end
  return lines
end

local function table_block(page, source, i)
  local rows, widths = {}, {}
  while source[i] and source[i]:find("^%s*|") do
    if not source[i]:find("^[%s|:-]+$") then
      rows[#rows + 1] = cells_of(source[i])
      for column, cell in ipairs(rows[#rows]) do
        widths[column] = math.max(widths[column] or 0, width(cell))
      end
    end
    i = i + 1
  end

  page:gap()
  fit(widths, page.columns)
  for number, cells in ipairs(rows) do
    for _, line in ipairs(row_lines(cells, widths)) do
      page.lines[#page.lines + 1] = number == 1 and BOLD .. line .. PLAIN or line
    end
  end
  page:gap()
  return i
end

local function list_item(line)
  local indent, mark, text = line:match("^(%s*)([-*+])%s+(.*)$")
  if not indent then indent, mark, text = line:match("^(%s*)(%d+[.)])%s+(.*)$") end
  return indent, mark, text
end

local function starts_block(line)
  return line == "" or line:find("^#") or line:find("^%s*```") or line:find("^%s*|")
    or list_item(line) ~= nil
end

-- The lines of a paragraph or list item, as one.
local function joined(source, i, text)
  local words = { text }
  i = i + 1
  while source[i] and not starts_block(source[i]) do
    words[#words + 1] = source[i]
    i = i + 1
  end
  return table.concat(words, " "), i
end

local function list(page, source, i)
  local indent, mark, text = list_item(source[i])
  text, i = joined(source, i, text)
  page:text(("%s%s "):format(indent, mark), text)
  return i
end

local function paragraph(page, source, i)
  local text
  text, i = joined(source, i, source[i])
  page:text("", text)
  return i
end

local function block(page, source, i)
  local line = source[i]
  if line == "" then
    page:gap()
    return i + 1
  end
  if line:find("^%s*```") then return fence(page, source, i) end
  if line:find("^#") then return heading(page, source, i) end
  if line:find("^%s*|") then return table_block(page, source, i) end
  if list_item(line) then return list(page, source, i) end
  if line:find("^    ") then return indented(page, source, i) end
  return paragraph(page, source, i)
end

--- Render a text.
---@param text string
---@param terminal cli.Terminal
---@return string
function markdown.render(text, terminal)
  local source = {}
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    source[#source + 1] = line:find("%S") and line or ""
  end

  local page = setmetatable({ lines = {}, columns = terminal.width }, Page)
  local i = 1
  while source[i] do i = block(page, source, i) end
  while page.lines[#page.lines] == "" do page.lines[#page.lines] = nil end
  local rendered = table.concat(page.lines, "\n") .. "\n"
  return (rendered:gsub("[\1\2]", terminal.bold and { [BOLD] = "\27[1m", [PLAIN] = "\27[0m" } or ""))
end

--- The first heading of a text, or "".
---@param text string
---@return string
function markdown.title(text)
  return (("\n" .. text):match("\n#+%s*([^\n]*)") or ""):gsub("`", ""):match("^%s*(.-)%s*$")
end

return markdown
