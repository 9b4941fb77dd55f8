--- Do something when a block is left, in whatever way.

local expect = require("neap.expect")

local defer = {}

local Deferral = {
  __name = "neap.deferral",
  __close = function(deferral)
    deferral.fn(table.unpack(deferral, 1, deferral.n))
  end,
}

--- Make a value that calls `fn(...)` when its block is left: by its end, `return`,
--- `break`, an error or a cancellation.
---
---     local _ <close> = neap.defer(os.remove, path)
---
--- What `fn` raises replaces the error by which the block was left. A block that is
--- left because its task is cancelled is still cancelled in `fn`: what has to wait
--- there goes under `neap.shield`.
---@param fn async fun(...)
---@param ... any  Passed to `fn`.
---@return table closable
---@nodiscard
function defer.defer(fn, ...)
  expect.callable("neap.defer", fn)
  return setmetatable({ fn = fn, n = select("#", ...), ... }, Deferral)
end

return defer
