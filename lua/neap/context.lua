--- Values that go along with the work: a request's id, a tenant, a user.
--- They hold for a dynamic extent and for all tasks that are spawned in it. Nobody
--- can set one afterwards, so whoever reads one knows where it came from.

local core = require("neap.core.context")
local errors = require("neap.core.error")

local context = {}

--- Call `fn(...)` with values bound to names, and return what it returns. They hold
--- inside `fn`, with those that hold around it, and in every task spawned meanwhile
--- for as long as that task lives. An inner binding hides an outer one.
---
---     neap.with({ request_id = id }, handle, request)
---
--- Raises `usage` if a name is no text.
--- By itself no checkpoint.
---@async
---@generic R
---@param bindings table<string, any>
---@param fn async fun(...): R...
---@param ... any  Passed to `fn`.
---@return R ...
function context.with(bindings, fn, ...)
  if type(bindings) == "table" then
    for name in pairs(bindings) do
      if type(name) ~= "string" then
        errors.usage("neap.with: a name is a string, got " .. type(name))
      end
    end
  end
  return core.with(bindings, fn, ...)
end

--- What is bound here: `neap.context.request_id` is the value, or nil. `pairs` goes
--- through all of it.
---@type table<string, any>
context.context = setmetatable({}, {
  __name = "neap.context",
  __metatable = "neap.context",
  __index = function(_, name) return core.get(name) end,
  __newindex = function(_, name)
    errors.usage(("neap.context.%s cannot be set: bind it with neap.with({ %s = ... }, fn)")
      :format(name, name))
  end,
  __pairs = function()
    local names = {}
    for name, value in pairs(core.bindings() or {}) do
      if type(name) == "string" then names[name] = value end
    end
    return next, names
  end,
})

return context
