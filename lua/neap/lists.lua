--- Check the lists that callers pass.
--- Walked by its length, a table with names for keys is empty, and one with a hole ends
--- somewhere: what it holds would be left out in silence.
---@package

local errors = require("neap.core.error")

local lists = {}

local function wrong(what, noun, got)
  errors.usage(("%s: %s expected, got %s"):format(what, noun or "list", got))
end

--- Check that a table has the keys 1 to `#list` and no other but `n`, as table.pack sets
--- it. One with a metatable knows by itself what it holds.
--- Raises an error of kind `usage` that blames the line of the script.
---@generic T: table
---@param what string  The function that was called, as its caller writes it: `"neap.map"`.
---@param list T
---@param noun? string  What it expects: `"list of functions and tasks"`.
---@return T list  The same.
function lists.check(what, list, noun)
  if type(list) ~= "table" then wrong(what, noun, type(list)) end
  if getmetatable(list) ~= nil then return list end

  local last = #list
  for key, value in next, list do
    local place = key == "n" and value or key
    if math.type(place) ~= "integer" or place < 0 or key == 0 then
      wrong(what, noun, "a table with the key " .. (type(key) == "string" and ("%q"):format(key) or tostring(key)))
    end
    last = math.max(last, place)
  end
  for i = 1, last do
    if list[i] == nil then wrong(what, noun, ("nil as element %d of %d"):format(i, last)) end
  end
  return list
end

return lists
