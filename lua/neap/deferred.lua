--- Values that somebody else completes.

local deferred_core = require("neap.core.deferred")
local errors = require("neap.core.error")
local expect = require("neap.expect")
local time = require("neap.core.time")

---@class neap.Deferred: neap.core.Deferred

local deferred = {}

--- Create a value that is completed once, by `resolve(...)` or `reject(err)`, and
--- that any number of tasks can wait for with `await`.
---@return neap.Deferred
---@nodiscard
function deferred.new()
  return deferred_core.new()
end

-- What stands between a suspended task and its callback. Left although nothing has been
-- handed over: nothing can be any more, and what was started is called off.
local Waiting = {
  __close = function(waiting)
    if waiting.is_resumed then return end
    deferred_core.claim(waiting.result)
    if waiting.on_cancel then waiting.on_cancel() end
  end,
}

--- Wait for a callback. `start(resume)` starts whatever will call `resume(true, ...)`,
--- and `suspend` returns those values, or `resume(false, err)`, and it raises `err`.
--- `resume` may be called before `start` has returned, from any task or from none; it
--- returns true the first time, then false, also once the waiting task was cancelled.
--- If that happens, what `start` returned, if anything, is called to call it off.
---@async
---@param start async fun(resume: fun(ok: boolean, ...: any): boolean): (fun()|nil)
---@return any ...
function deferred.suspend(start)
  expect.callable("neap.suspend", start)
  time.check()
  local result = deferred_core.new()
  local waiting <close> = setmetatable({ result = result, is_resumed = false, on_cancel = false }, Waiting)

  local on_cancel = start(function(ok, ...)
    local is_first
    if ok then is_first = result:resolve(...) else is_first = result:reject((...)) end
    if is_first then waiting.is_resumed = true end
    return is_first
  end)
  if on_cancel ~= nil and not expect.is_callable(on_cancel) then
    errors.usage("neap.suspend: the function returned a " .. type(on_cancel)
      .. "; it returns a function that is called on cancellation, or nothing")
  end
  waiting.on_cancel = on_cancel
  return deferred_core.wait(result)
end

return deferred
