--- Check the option tables that callers pass.
--- Every function of Neap that takes options calls `options.check` first, so that a
--- misspelt one is an error everywhere and is answered with the name that was meant.
---@package

local errors = require("neap.core.error")
local text = require("neap.core.text")

local options = {}

-- What is known, as a set, by the list that a module gave: made once for each list.
local sets = setmetatable({}, { __mode = "k" })

local function set_of(names)
  local set = sets[names]
  if not set then
    set = {}
    for _, name in ipairs(names) do set[name] = true end
    sets[names] = set
  end
  return set
end

--- The words that ask whether a known name was meant, or "" if none is near.
---@param name string  What somebody wrote.
---@param known string[]
---@param prefix? string  What to write before the known name: `"--"` for an argument.
---@return string hint  For the end of a message: `; did you mean "limit"?`.
function options.hint(name, known, prefix)
  local nearest = text.nearest(name, known)
  return nearest and ('; did you mean "%s%s"?'):format(prefix or "", nearest) or ""
end

--- Check that a table of options holds known names only.
--- Raises an error of kind `usage` that blames the line of the script.
---@generic T: table
---@param what string  The function that was called, as its caller writes it: `"neap.map"`.
---@param opts T?  What it was given; nil counts as no options.
---@param known string[]  The names of the options. Keep the list: it is made ready once.
---@return T opts  The same table, or an empty one.
function options.check(what, opts, known)
  if opts == nil then return {} end
  if type(opts) ~= "table" then
    errors.usage(("%s: options are a table, got %s"):format(what, type(opts)))
  end

  local set = set_of(known)
  for name in pairs(opts) do
    if type(name) ~= "string" then
      errors.usage(("%s: unknown option %s"):format(what, tostring(name)))
    elseif not set[name] then
      errors.usage(("%s: unknown option %q%s"):format(what, name, options.hint(name, known)))
    end
  end
  return opts
end

return options
