--- What a prompt knows of names and values: completion, and how a value is shown.

local api = require("cli.check.api")

local complete = {}

local KEYWORDS = {
  "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
  "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
}

-- Names shown for one Tab.
local MAX_NAMES = 100

-- The value of "a.b.c" among the globals, and the type that neap check knows for it.
local function resolve(path)
  local value, known = _G, nil
  for name in path:gmatch("[^.:]+") do
    if type(value) ~= "table" and not known then return nil end
    local fact = known and known.members[name]
    value = type(value) == "table" and value[name] or nil
    known = fact and fact.is and api.types[fact.is] or (value ~= nil and not known and api.types[name]) or nil
  end
  return value, known
end

local function add_names(names, table_of_names, prefix)
  for name in pairs(table_of_names) do
    if type(name) == "string" and name:find("^[%a_][%w_]*$") and name:sub(1, #prefix) == prefix then
      names[name] = true
    end
  end
end

-- What `path` has that begins with `prefix`, sorted.
local function names_of(path, prefix)
  local names = {}
  if path == "" then
    add_names(names, _G, prefix)
    for _, word in ipairs(KEYWORDS) do
      if word:sub(1, #prefix) == prefix then names[word] = true end
    end
  else
    local value, known = resolve(path)
    if type(value) == "table" then add_names(names, value, prefix) end
    if known then add_names(names, known.members, prefix) end
  end
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function common_start(names)
  local start = names[1]
  for i = 2, #names do
    while names[i]:sub(1, #start) ~= start do start = start:sub(1, -2) end
  end
  return start
end

--- Complete the name at the end of a line.
---@param text string  The line up to the cursor.
---@return string? more  What to insert.
---@return string? list  The names that are possible, if they are several and nothing is to insert.
function complete.complete(text)
  local path, prefix = text:match("([%a_][%w_.:]*)[.:]([%w_]*)$")
  if not path then path, prefix = "", text:match("[%a_][%w_]*$") or "" end
  local names = names_of(path, prefix)
  if #names == 0 then return nil end
  local more = common_start(names):sub(#prefix + 1)
  if more ~= "" or #names == 1 then return more ~= "" and more or nil end
  local left = #names - MAX_NAMES
  return nil, table.concat(names, "  ", 1, math.min(#names, MAX_NAMES)) ..
    (left > 0 and ("  and %d more"):format(left) or "")
end

-- Entries of a table that are shown, and tables inside tables.
local MAX_ENTRIES, MAX_DEPTH = 20, 2

local function show_key(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return key end
  return "[" .. complete.show(key, MAX_DEPTH, true) .. "]"
end

-- Tables and the like stay in any order: what their __tostring does is not for a sort.
local function by_type_and_value(a, b)
  if type(a) ~= type(b) then return type(a) < type(b) end
  if type(a) == "string" or type(a) == "number" then return a < b end
  return a == false and b == true
end

local function show_table(value, depth)
  local parts, length = {}, #value
  for i = 1, math.min(length, MAX_ENTRIES) do
    parts[i] = complete.show(rawget(value, i), depth + 1, true)
  end
  local keys = {}
  for key in next, value do
    if math.type(key) ~= "integer" or key < 1 or key > length then keys[#keys + 1] = key end
  end
  table.sort(keys, by_type_and_value)
  for i = 1, math.min(#keys, MAX_ENTRIES - #parts) do
    parts[#parts + 1] = show_key(keys[i]) .. " = " .. complete.show(value[keys[i]], depth + 1, true)
  end
  if length + #keys > MAX_ENTRIES then parts[#parts + 1] = "..." end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

--- A value as a person reads it. Tables are shown to some depth and length.
---@param value any
---@param depth? integer  Tables that it is in.
---@param quoted? boolean  Strings have quotes, as inside of tables.
---@return string
function complete.show(value, depth, quoted)
  depth = depth or 0
  if type(value) == "string" and quoted then return (("%q"):format(value):gsub("\\\n", "\\n")) end
  if type(value) ~= "table" or getmetatable(value) ~= nil or depth > MAX_DEPTH then return tostring(value) end
  return show_table(value, depth)
end

return complete
