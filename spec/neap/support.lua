--- For specs of scopes, tasks and channels: what several of them do with those.

local neap = require("neap")
local test = require("neap.test")

local support = {}

--- What `fn(...)` raises.
---@async
---@param fn async fun(...)
---@param ... any
---@return any err
function support.raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "it should have raised")
  if err == "not enough memory" then error(err, 0) end     -- what a spec fails by says so
  return err
end

--- A closable value that runs `fn` when it is left.
---@param fn async fun(self: table, err: any)
---@return table
function support.at_exit(fn)
  return setmetatable({}, { __close = fn })
end

--- Wait until the running task is cancelled.
---@async
function support.forever() neap.channel():recv() end

--- Start `fn(...)` in a guarded task, and let it run until it waits.
---@async
---@param s neap.Scope
---@param fn async fun(...)
---@param ... any
---@return neap.Task
function support.start(s, fn, ...)
  local task = s:spawn({ guard = true }, fn, ...)
  test.run_until_idle()
  return task
end

--- Run `body` in a task that is cancelled after a second, and wait for its end.
---@async
---@param body async fun(log: table)
---@return neap.Task task
---@return table log  What `body` was given to write into.
function support.cancelled_task(body)
  local log = {}
  local task
  neap.scope(function(s)
    task = s:spawn({ name = "victim" }, body, log)
    neap.sleep(1)
    task:cancel("enough")
    task:join()
  end)
  return task, log
end

--- What can be received without waiting.
---@param ch neap.Channel
---@return any[]
function support.drain(ch)
  local values = {}
  repeat
    local v = ch:try_recv()
    values[#values + 1] = v
  until v == nil
  return values
end

return support
