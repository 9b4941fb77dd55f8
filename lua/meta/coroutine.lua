---@meta neap.core.coroutine

--- What replaces Lua's own: a suspension and a cancellation of the running task pass
--- through. Otherwise they are as in the manual of Lua 5.4; the originals are in `neap.raw`.
---@class neap.core.coroutine
local coroutine = {}

---@async
---@param fn async fun(...): ...
---@param ... any
---@return boolean ok
---@return any ...
function coroutine.pcall(fn, ...) end

---@async
---@param fn async fun(...): ...
---@param handler fun(err: any): any  Not called for a cancellation of the running task.
---@param ... any
---@return boolean ok
---@return any ...
function coroutine.xpcall(fn, handler, ...) end

--- Call `fn(...)`: true and what it returned, or false and its error. Never catches the
--- running task's cancellation.
--- By itself no checkpoint.
---@async
---@param fn async fun(...): ...
---@param ... any  Passed to `fn`.
---@return boolean ok
---@return any ...
function coroutine.try(fn, ...) end

---@param fn function
---@return thread
function coroutine.create(fn) end

---@async
---@param co thread
---@param ... any
---@return boolean ok
---@return any ...
function coroutine.resume(co, ...) end

---@param fn function
---@return async fun(...): ...
function coroutine.wrap(fn) end

--- Raises `usage` in a task outside of a coroutine of the script, `structure` while a scope,
--- timeout or shield that the coroutine opened is open.
---@async
---@param ... any
---@return any ...
function coroutine.yield(...) end

---@param co thread
---@return "running"|"suspended"|"normal"|"dead"
function coroutine.status(co) end

---@return thread co
---@return boolean is_main  Is it a task's own?
function coroutine.running() end

---@param co? thread
---@return boolean
function coroutine.isyieldable(co) end

---@param co thread
---@return boolean ok
---@return any err
function coroutine.close(co) end

return coroutine
