---@meta neap.core.deferred

---@class neap.core.Deferred
local Deferred = {}

--- Complete with values. Does not wait; whoever waits goes on.
---@param ... any  At most 255.
---@return boolean first  False, and nothing changes, when it had been completed.
function Deferred:resolve(...) end

--- Complete with an error.
---@param err any  Not nil.
---@return boolean first  False, and nothing changes, when it had been completed.
function Deferred:reject(err) end

--- Wait until it is completed. Raises what it was rejected with, unchanged.
---@async
---@return any ...
function Deferred:await() end

--- Make an arm of `neap.select` that gives what `await` gives, or raises it.
---@param handler? async fun(...: any): ...
---@return neap.Arm
---@nodiscard
function Deferred:on_await(handler) end

local deferred = {}

deferred.methods = Deferred

---@return neap.core.Deferred
---@nodiscard
function deferred.new() end

--- From now on it can be completed only while somebody waits for it: whoever completes it
--- hears that the waiting task was cancelled, also before that runs.
---@param d neap.core.Deferred
function deferred.claim(d) end

--- Can it still be completed?
---@param d neap.core.Deferred
---@return boolean
function deferred.is_open(d) end

--- Claim it and wait as `await` does, but what is there already is returned to a cancelled
--- task, too.
---@async
---@param d neap.core.Deferred
---@return any ...
function deferred.wait(d) end

return deferred
