---@meta neap.core.context

local context = {}

--- Bind values while `fn(...)` runs, on top of what is bound.
---@async
---@param bindings table
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return any ...
function context.with(bindings, fn, ...) end

---@param key any
---@return any
function context.get(key) end

--- All that is bound, not to be changed; or nil.
---@return table?
function context.bindings() end

return context
