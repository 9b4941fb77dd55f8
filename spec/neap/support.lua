--- For specs of scopes and tasks: bodies and helpers that several of them use.

local neap = require("neap")

local support = {}

--- What `fn(...)` raises.
---@async
---@param fn async fun(...)
---@param ... any
---@return any err
function support.raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "it should have raised")
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

return support
