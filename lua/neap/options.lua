--- Check the option tables that callers pass.
--- Every function of Neap that takes options calls `options.check` first, so that a
--- misspelt one is an error everywhere and is answered with the name that was meant.

local errors = require("neap.error")
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

-- The place of the function `level` calls above options.check, as "file:line: ", or
-- "" in C. A function left by a tail call has no frame any more, but counts.
local function place(level)
  local frame = 3 -- 1 is this function, 2 is refuse, 3 is options.check
  while level > 0 do
    local called = debug.getinfo(frame, "t")
    if not called then return "" end
    level = level - (called.istailcall and 2 or 1)
    frame = frame + 1
  end
  local info = debug.getinfo(frame, "Sl")
  if not info or info.currentline < 0 then return "" end
  return ("%s:%d: "):format(info.short_src, info.currentline)
end

local function refuse(level, what, answer)
  error(errors.new("usage", ("%s%s: %s"):format(place(level), what, answer)), 0)
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
--- Raises an error of kind `usage` at the place that `level` says.
---@generic T: table
---@param what string  The function that was called, as its caller writes it: `"neap.map"`.
---@param opts T?  What it was given; nil counts as no options.
---@param known string[]  The names of the options. Keep the list: it is made ready once.
---@param level? integer  Whom to blame, as `error` counts: 2, the default, is the caller
---  of the function that calls `check`.
---@return T opts  The same table, or an empty one.
function options.check(what, opts, known, level)
  if opts == nil then return {} end
  level = level or 2
  if type(opts) ~= "table" then
    refuse(level, what, "options are a table, got " .. type(opts))
  end

  local set = set_of(known)
  for name in pairs(opts) do
    if type(name) ~= "string" then
      refuse(level, what, "unknown option " .. tostring(name))
    elseif not set[name] then
      refuse(level, what, ("unknown option %q%s"):format(name, options.hint(name, known)))
    end
  end
  return opts
end

return options
