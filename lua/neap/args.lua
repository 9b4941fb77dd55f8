--- Read a script's own arguments by a declaration of them. `neap.args(spec)` returns the
--- values by their names, or reports a mistake and ends the script with status 2.
---
---     local a = neap.args {
---       usage = "Import orders into the shop.",
---       [1] = { name = "file", help = "orders, one JSON object a line" },
---       limit = { type = "integer", short = "n", default = 10, min = 1, help = "at most so many" },
---       dry_run = { type = "flag", help = "check only" },
---     }
---     import(a.file, a.limit, a.dry_run)
---
--- A key is the long option: `dry_run` is `--dry-run`. Keys 1, 2, ... are the arguments
--- without one, in their order, and `rest` takes all that follow. Understood are `--name value`,
--- `--name=value`, `-n value`, `-nvalue`, several short flags in one (`-vq`), `--no-name`
--- for a flag, and `--`, behind which everything is an argument. `--help` is always there.

local errors = require("neap.core.error")
local lists = require("neap.lists")
local options = require("neap.options")
local text = require("neap.core.text")

local args = {}

---@alias neap.args.Type "string"|"integer"|"number"|"flag"|"duration"|"choice"

---@class neap.args.Option
---@field type? neap.args.Type  A string if it is left out. A duration gives seconds.
---@field help? string  What it is for, in a few words.
---@field short? string  One letter or digit: `-n`.
---@field required? boolean  An argument is, unless it has a default or this is false.
---@field default? any  What stands for one that is not given; false for a flag.
---@field min? number|string  The least value of a number or duration.
---@field max? number|string  The greatest.
---@field choices? string[]  The values of a choice.
---@field value? string  What `--help` calls its value: `FILE`; the option's name if left out.
---@field name? string  Of an argument and of `rest`: its key in the result.

---@class neap.args.Spec
---@field usage? string  What the script does; shown by `--help`.
---@field rest? neap.args.Option|true  Takes the arguments after the last declared one, as a list;
---true takes strings.
---@field [integer] neap.args.Option
---@field [string] neap.args.Option

local OPTION = { "type", "help", "short", "required", "default", "min", "max", "choices",
  "value" }
local ARGUMENT = { "type", "help", "required", "default", "min", "max", "choices", "name" }

local HELP = { key = "help", type = "flag", help = "show this" }

-- Values -------------------------------------------------------------------------------

-- How a person reads a value: a duration with its unit.
local function shown_value(decl, value)
  return decl.type == "duration" and ("%.14gs"):format(value) or tostring(value)
end

local function bounded(decl, value)
  local word, bound
  if decl.min and value < decl.min then word, bound = "less", decl.min end
  if decl.max and value > decl.max then word, bound = "more", decl.max end
  if not word then return value end
  return nil, ("%s is %s than %s"):format(shown_value(decl, value), word, shown_value(decl, bound))
end

-- For each type: the text of an argument to its value, or nil and what is wrong with it.
local READERS = {
  string = function(_, value) return value end,

  integer = function(decl, value)
    local number = value:find("^[+-]?%d+$") and math.tointeger(tonumber(value))
    if not number then return nil, ("%q is no integer"):format(value) end
    return bounded(decl, number)
  end,

  number = function(decl, value)
    local number = tonumber(value)
    if not number or number - number ~= 0 then return nil, ("%q is no number"):format(value) end
    return bounded(decl, number)
  end,

  duration = function(decl, value)
    local ok, seconds = pcall(text.duration, tonumber(value) or value, "neap.args")
    if not ok then return nil, ("%q is no duration, such as 0.5, 250ms or 1m30s"):format(value) end
    return bounded(decl, seconds)
  end,

  choice = function(decl, value)
    for _, choice in ipairs(decl.choices) do
      if choice == value then return value end
    end
    return nil, ("%q is none of %s%s"):format(value, table.concat(decl.choices, ", "),
      options.hint(value, decl.choices))
  end,
}

local TYPES = { "choice", "duration", "flag", "integer", "number", "string" }

-- Declarations -------------------------------------------------------------------------

---@class neap.args.Declarations
---@field usage string?
---@field list table[]  Options, sorted by name.
---@field long table<string, table>
---@field short table<string, table>
---@field arguments table[]
---@field rest table?
---@field keys table<string, true>  What is among the values.

local function misuse(message, ...)
  errors.usage("neap.args: " .. message:format(...))
end

-- A copy of one declaration, checked, with its `key` in the result and what people call
-- it, `shown`.
local function declare(what, given, known)
  if type(given) ~= "table" then misuse("%s is declared by a table, got %s", what, type(given)) end
  options.check("neap.args " .. what, given, known)
  local decl = { type = "string" }
  for name, value in pairs(given) do decl[name] = value end

  if not READERS[decl.type] and decl.type ~= "flag" then
    misuse("%s: unknown type %q%s", what, tostring(decl.type),
      options.hint(tostring(decl.type), TYPES))
  end
  if (decl.type == "choice") ~= (type(decl.choices) == "table") then
    misuse("%s: type \"choice\" and a list of choices go together", what)
  end
  if decl.choices then
    lists.check(("neap.args: %s: choices"):format(what), decl.choices)
    if #decl.choices == 0 then misuse("%s: there is nothing in choices", what) end
    for i, choice in ipairs(decl.choices) do
      if type(choice) ~= "string" then
        misuse("%s: choice %d: string expected, got %s", what, i, type(choice))
      end
    end
  end
  if decl.type == "duration" then
    for _, name in ipairs({ "default", "min", "max" }) do
      decl[name] = decl[name] and text.duration(decl[name], ("neap.args: %s: %s"):format(what, name))
    end
  end
  return decl
end

-- What is given for `key` gets a place of its own among the values.
local function claim(all, what, key)
  if all.keys[key] then misuse("%s: there is another %q already", what, key) end
  all.keys[key] = true
end

local function declare_option(all, key, given)
  local decl = declare(tostring(key), given, OPTION)
  if type(key) ~= "string" or not key:find("^%a[%w_-]*$") or key == "help" then
    misuse("%q cannot be the name of an option", tostring(key))
  end
  claim(all, "option", key)
  decl.key, decl.shown = key, "--" .. key:gsub("_", "-")
  if decl.type == "flag" and decl.default == nil then decl.default = false end
  if decl.short then
    if type(decl.short) ~= "string" or not decl.short:find("^%w$") or all.short[decl.short] then
      misuse("%s: short is one letter or digit that no other option has", key)
    end
    all.short[decl.short] = decl
  end
  if decl.value ~= nil and (type(decl.value) ~= "string" or decl.type == "flag") then
    misuse("%s: value is a text, for an option that takes one", key)
  end
  if all.long[decl.shown:sub(3)] then misuse("%s is declared twice", decl.shown) end
  all.long[decl.shown:sub(3)] = decl
  all.list[#all.list + 1] = decl
end

local function declare_argument(all, what, given)
  local decl = declare(what, given, ARGUMENT)
  if type(decl.name) ~= "string" then misuse("%s needs a name", what) end
  if decl.type == "flag" then misuse("%s: an argument cannot be a flag", what) end
  claim(all, what, decl.name)
  decl.key, decl.shown = decl.name, decl.name:upper()
  return decl
end

---@param spec neap.args.Spec
---@return neap.args.Declarations
local function declarations(spec)
  if type(spec) ~= "table" then misuse("a table of declarations expected, got %s", type(spec)) end
  local all = { usage = spec.usage, list = {}, arguments = {}, short = {}, long = { help = HELP },
    keys = { help = true } }
  for i, given in ipairs(spec) do
    local decl = declare_argument(all, "argument " .. i, given)
    if decl.required == nil then decl.required = decl.default == nil end
    local before = all.arguments[i - 1]
    if before and decl.required and not before.required then
      misuse("argument %d: a required one cannot follow %s, which is not", i, before.shown)
    end
    all.arguments[i] = decl
  end
  if spec.rest ~= nil then
    local rest = spec.rest == true and {} or spec.rest
    if type(rest) ~= "table" then misuse("rest: table or true expected, got %s", type(rest)) end
    local given = { name = "rest" }
    for key, value in pairs(rest) do given[key] = value end
    all.rest = declare_argument(all, "rest", given)
  end

  local keys = {}
  for key in pairs(spec) do
    local argument = math.type(key) == "integer" and all.arguments[key]
    if key ~= "usage" and key ~= "rest" and not argument then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do declare_option(all, key, spec[key]) end
  if not all.short.h then all.short.h = HELP end
  return all
end

-- Help ---------------------------------------------------------------------------------

-- What a person has to know about the value of an option or argument.
local function remarks(decl)
  local list = {}
  if decl.type == "choice" then
    list[#list + 1] = table.concat(decl.choices, " | ")
  elseif decl.type ~= "string" and decl.type ~= "flag" then
    list[#list + 1] = decl.type
  end
  if decl.min then list[#list + 1] = "at least " .. shown_value(decl, decl.min) end
  if decl.max then list[#list + 1] = "at most " .. shown_value(decl, decl.max) end
  if decl.default ~= nil and decl.default ~= false then
    list[#list + 1] = "default " .. shown_value(decl, decl.default)
  end
  if decl.required and decl.shown:find("^%-") then list[#list + 1] = "required" end
  return #list > 0 and ("(%s)"):format(table.concat(list, ", ")) or ""
end

local function rows_of(all, program)
  local synopsis = { "usage: neap run", program, "[OPTIONS]" }
  local arguments, rows = {}, {}
  for _, decl in ipairs(all.arguments) do
    synopsis[#synopsis + 1] = decl.required and decl.shown or ("[%s]"):format(decl.shown)
    arguments[#arguments + 1] = { decl.shown, decl }
  end
  if all.rest then
    local shown = all.rest.shown .. "..."
    synopsis[#synopsis + 1] = all.rest.required and shown or ("[%s]"):format(shown)
    arguments[#arguments + 1] = { shown, all.rest }
  end
  for _, decl in ipairs(all.list) do
    local short = decl.short and ("-%s, "):format(decl.short) or "    "
    local value = decl.type == "flag" and "" or " " .. (decl.value or decl.key:upper())
    rows[#rows + 1] = { short .. decl.shown .. value, decl }
  end
  rows[#rows + 1] = { (all.short.h == HELP and "-h, " or "    ") .. "--help", HELP }
  return table.concat(synopsis, " "), arguments, rows
end

local function help(all, program)
  local synopsis, arguments, rows = rows_of(all, program)
  local lines = { synopsis }
  if all.usage then
    lines[#lines + 1] = ""
    lines[#lines + 1] = all.usage
  end

  local width = 0
  for _, list in ipairs({ arguments, rows }) do
    for _, row in ipairs(list) do width = math.max(width, #row[1]) end
  end
  local function section(title, list)
    if #list == 0 then return end
    lines[#lines + 1] = ""
    lines[#lines + 1] = title
    for _, row in ipairs(list) do
      local words = { row[2].help or "", remarks(row[2]) }
      local said = table.concat(words, " "):match("^%s*(.-)%s*$")
      local line = ("  %-" .. width .. "s  %s"):format(row[1], said)
      lines[#lines + 1] = line:match("^(.-)%s*$")
    end
  end
  section("arguments:", arguments)
  section("options:", rows)
  return table.concat(lines, "\n")
end

-- Parsing ------------------------------------------------------------------------------

-- What is wrong with the arguments travels as an error to `args.parse`, in this box.
local Wrong = {}

local function wrong(message, ...)
  error(setmetatable({ message = message:format(...) }, Wrong), 0)
end

local function read(decl, value)
  local result, problem = READERS[decl.type](decl, value)
  if problem then wrong("%s: %s", decl.shown, problem) end
  return result
end

-- The value of an option: behind its `=`, or the next argument. One that looks like an
-- option is none: whoever means it writes `=`.
local function value_of(decl, attached, argv, i)
  if attached then return attached, i end
  local value = argv[i + 1]
  if value == nil or value:find("^%-.") and not tonumber(value) then
    wrong("%s needs a value", decl.shown)
  end
  return value, i + 1
end

local function names_of(all)
  local names = { "help" }
  for _, decl in ipairs(all.list) do names[#names + 1] = decl.shown:sub(3) end
  return names
end

local function parse_long(all, values, argv, i)
  local name, attached = argv[i]:match("^%-%-([^=]+)=?(.*)$")
  if not name then wrong("%q is no option", argv[i]) end
  if not argv[i]:find("=", 1, true) then attached = nil end
  name = name:gsub("_", "-")

  local decl, value = all.long[name], true
  local positive = name:match("^no%-(.+)$")
  if not decl and positive and all.long[positive] and all.long[positive].type == "flag"
    and positive ~= "help" then
    decl, value = all.long[positive], false
  end
  if not decl then wrong("unknown option --%s%s", name, options.hint(name, names_of(all), "--")) end
  if decl.type == "flag" then
    if attached then wrong("--%s takes no value", name) end
    values[decl.key] = value
    return i
  end
  attached, i = value_of(decl, attached, argv, i)
  values[decl.key] = read(decl, attached)
  return i
end

-- `-v`, `-vq`, `-n 5`, `-n5`, `-n=5`.
local function parse_short(all, values, argv, i)
  local letters = argv[i]:sub(2)
  while letters ~= "" do
    local letter = letters:sub(1, 1)
    letters = letters:sub(2)
    local decl = all.short[letter]
    if not decl then wrong("unknown option -%s", letter) end
    if decl.type == "flag" then
      values[decl.key] = true
    else
      local attached = letters ~= "" and letters:gsub("^=", "", 1) or nil
      attached, i = value_of(decl, attached, argv, i)
      values[decl.key] = read(decl, attached)
      return i
    end
  end
  return i
end

local function is_option(all, word)
  if not word:find("^%-.") then return false end
  -- A negative number is an argument, unless there is an option of that digit.
  return not tonumber(word) or all.short[word:sub(2, 2)] ~= nil
end

local function parse_words(all, argv)
  local values, words = {}, {}
  local i = 1
  while argv[i] do
    local word = argv[i]
    if word == "--" then
      table.move(argv, i + 1, #argv, #words + 1, words)
      break
    elseif word:find("^%-%-") then
      i = parse_long(all, values, argv, i)
    elseif is_option(all, word) then
      i = parse_short(all, values, argv, i)
    else
      words[#words + 1] = word
    end
    if values.help and all.long.help == HELP then return values, words end
    i = i + 1
  end
  return values, words
end

local function take_arguments(all, values, words)
  for i, decl in ipairs(all.arguments) do
    if words[i] then values[decl.key] = read(decl, words[i]) end
  end
  if all.rest then
    local list = {}
    for i = #all.arguments + 1, #words do list[#list + 1] = read(all.rest, words[i]) end
    values[all.rest.key] = list
    if all.rest.required and #list == 0 then wrong("%s is required", all.rest.shown) end
  elseif #words > #all.arguments then
    wrong("unexpected argument %q", words[#all.arguments + 1])
  end
end

local function complete(all, values)
  for _, list in ipairs({ all.arguments, all.list }) do
    for _, decl in ipairs(list) do
      if values[decl.key] == nil then
        if decl.required then wrong("%s is required", decl.shown) end
        values[decl.key] = decl.default
      end
    end
  end
end

--- Read arguments without acting on them.
--- Raises kind `usage` for a wrong declaration; wrong arguments are a result.
---@param spec neap.args.Spec
---@param argv string[]  As the global `arg`: `[0]` is the name of the script.
---@return table<string, any>? values
---@return string? message  What is wrong, or the text of `--help`.
---@return integer? status  The exit status that goes with it: 2, or 0 for `--help`.
function args.parse(spec, argv)
  local all = declarations(spec)
  if type(argv) ~= "table" then misuse("argv: list expected, got %s", type(argv)) end
  local ok, values = pcall(function()
    local values, words = parse_words(all, argv)
    if not values.help then
      take_arguments(all, values, words)
      complete(all, values)
    end
    return values
  end)
  if ok then
    if values.help then return nil, help(all, argv[0] or "SCRIPT"), 0 end
    return values
  end
  if getmetatable(values) ~= Wrong then error(values, 0) end
  return nil, values.message, 2
end

-- `neap.args(spec)`: the values, or the end of the script.
local function call(_, spec)
  local argv = arg or {}
  local values, message, status = args.parse(spec, argv)
  if values then return values end
  local program = argv[0] or "SCRIPT"
  if status == 0 then
    io.stdout:write(message, "\n")
  else
    io.stderr:write(("%s: %s\ntry: neap run %s --help\n"):format(program, message, program))
  end
  return require("neap.core.host").exit(status)
end

return setmetatable(args, { __call = call })
