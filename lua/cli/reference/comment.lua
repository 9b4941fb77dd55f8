--- Read one `---` comment with the annotations of LuaLS.

local comment = {}

-- Split "type  text" where the type ends: at a blank outside brackets that no `:`, `,`,
-- `|` or `async` in front of it, and no `|` behind it, continues.
local function split_type(words)
  local depth, pos = 0, 1
  while pos <= #words do
    local char = words:sub(pos, pos)
    if char:find("[%(%[{<]") then
      depth = depth + 1
    elseif char:find("[%)%]}>]") then
      depth = depth - 1
    elseif char == " " and depth <= 0 then
      local before, after = words:sub(1, pos - 1), words:match("^%s*(.?)", pos)
      if not before:find("[:,|]$") and not before:find("^async$") and after ~= "|" then break end
    end
    pos = pos + 1
  end
  return words:sub(1, pos - 1), words:sub(pos)
end

-- "name? type  text", of a parameter or field.
local function parameter(words)
  local name, optional, rest = words:match("^(%S-)(%??)%s+(.*)$")
  if not name then return { name = words, type = "any", text = "" } end
  local type_name, text = split_type(rest)
  -- At the end of a function's type it belongs to what the function returns.
  if type_name:find("%?$") and not type_name:find("fun(", 1, true) then
    type_name, optional = type_name:sub(1, -2), "?"
  end
  return { name = name, type = type_name, text = text:match("^%s*(.-)%s*$"), optional = optional ~= "" }
end

-- "type name  text" or "type  # text".
local function result(words)
  local type_name, rest = split_type(words)
  local name, text = rest:match("^ ([%a_][%w_]*)%s*$"), nil
  if not name then name, text = rest:match("^ ([%a_][%w_]*)  +(.*)$") end
  text = (text or (not name and rest) or ""):gsub("^%s*#?%s*", "")
  return { name = name, type = type_name, text = text:match("^(.-)%s*$") }
end

-- Split at the commas outside brackets.
local function split_commas(words)
  local pieces, depth, from = {}, 0, 1
  for pos = 1, #words do
    local char = words:sub(pos, pos)
    if char:find("[%(%[{<]") then depth = depth + 1 end
    if char:find("[%)%]}>]") then depth = depth - 1 end
    if char == "," and depth == 0 then
      pieces[#pieces + 1] = words:sub(from, pos - 1)
      from = pos + 1
    end
  end
  pieces[#pieces + 1] = words:sub(from)
  return pieces
end

-- What a type such as `fun(text: string, opts?: table): any` takes and returns.
local function read_function_type(doc, words)
  local inside, returned = words:match("^a?s?y?n?c? ?fun(%b())%s*:?%s*(.*)$")
  if not inside then return end
  doc.callable = true
  doc.async = doc.async or words:find("^async ") ~= nil
  for _, piece in ipairs(split_commas(inside:sub(2, -2))) do
    local name, optional, kind = piece:match("^%s*([%w_.]+)(%??)%s*:?%s*(.-)%s*$")
    if name then
      doc.params[#doc.params + 1] = { name = name, type = kind ~= "" and kind or "any", text = "",
        optional = optional ~= "" }
    end
  end
  if returned ~= "" then doc.returns[1] = { type = returned, text = "" } end
end

local PRIVATE = { private = true, protected = true, package = true }

-- What a tag adds to the comment it stands in.
local TAGS = {
  param = function(doc, words) doc.params[#doc.params + 1] = parameter(words) end,
  ["return"] = function(doc, words) doc.returns[#doc.returns + 1] = result(words) end,
  overload = function(doc, words) doc.overloads[#doc.overloads + 1] = words end,
  async = function(doc) doc.async = true end,
  meta = function(doc, words) doc.meta = words end,
  type = function(doc, words)
    doc.type = words
    read_function_type(doc, words)
  end,

  class = function(doc, words)
    local name, parents = words:match("^([%w_.]+)%s*:?%s*(.*)$")
    doc.class = { name = name, parents = {} }
    for parent in parents:gmatch("[%w_.]+") do
      doc.class.parents[#doc.class.parents + 1] = parent
    end
  end,

  field = function(doc, words)
    local access, rest = words:match("^(%a+)%s+(.*)$")
    if access == "public" then words = rest end
    if not PRIVATE[access] and not words:find("^%[") then
      doc.fields[#doc.fields + 1] = parameter(words)
    end
  end,
}

--- Read a comment.
---@param lines string[]  Without their dashes.
---@return table doc  `text` in Markdown, and what the annotations say: `params`, `returns`,
---  `fields`, `overloads`, `class`, `type`, `callable`, `meta`, `async`,
---  `private`.
function comment.read(lines)
  local doc = { text = {}, params = {}, returns = {}, fields = {}, overloads = {}, async = false }
  local tag, words
  local function finish()
    if PRIVATE[tag] then doc.private = true end
    if TAGS[tag] then TAGS[tag](doc, words) end
    tag = nil
  end
  for _, line in ipairs(lines) do
    local found, rest = line:match("^@(%a+)%s*(.*)$")
    if found then
      finish()
      tag, words = found, rest
    elseif tag and line:find("%S") and tag ~= "class" then
      words = words .. " " .. line:match("^%s*(.-)%s*$") -- goes on with the line above
    else
      finish()
      doc.text[#doc.text + 1] = line:gsub("^ ", "", 1)
    end
  end
  finish()
  doc.text = table.concat(doc.text, "\n"):match("^\n*(.-)%s*$")
  return doc
end

return comment
