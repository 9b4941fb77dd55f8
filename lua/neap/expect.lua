--- Check the functions, counts and bounds that callers pass.
--- What is refused raises an error of kind `usage` that blames the line of the script.
---@package

local errors = require("neap.core.error")

local expect = {}

--- What has `__call` can be called, too, whatever its metatable shows to scripts.
---@param value any
---@return boolean
function expect.is_callable(value)
  return type(value) == "function" or (debug.getmetatable(value) or {}).__call ~= nil
end

--- Check that a value can be called.
---@generic T
---@param what string  What was called, and its argument: `"neap.map"`, `"flow:retry: on"`.
---@param value T
---@return T value  The same.
function expect.callable(what, value)
  if not expect.is_callable(value) then
    errors.usage(("%s: function expected, got %s"):format(what, type(value)))
  end
  return value
end

local function refuse_number(what, expected, n)
  errors.usage(("%s: %s expected, got %s"):format(what, expected, tostring(n)))
end

--- Check a count.
---@generic T
---@param what string  As for `callable`.
---@param n T
---@param least integer
---@return T n  The same.
function expect.count(what, n, least)
  if math.type(n) ~= "integer" or n < least then
    refuse_number(what, "a whole number from " .. least, n)
  end
  return n
end

--- Check a bound: a count from 1, or `math.huge` for none.
---@generic T
---@param what string  As for `callable`.
---@param n T
---@return T n  The same.
function expect.bound(what, n)
  if n ~= math.huge and (math.type(n) ~= "integer" or n < 1) then
    refuse_number(what, "a whole number from 1, or math.huge,", n)
  end
  return n
end

return expect
