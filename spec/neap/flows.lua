--- Flows for specs: what they emit, and when it came.

local neap = require("neap")
local test = require("neap.test")

local flows = {}

--- Emits the values.
function flows.of(...)
  return neap.flow.from({ ... })
end

--- Emits each value `ms` after the one before.
function flows.every(ms, ...)
  return flows.of(...):on_each(function() neap.sleep(ms / 1000) end)
end

--- Emits the values, then raises.
function flows.failing(err, ...)
  local values = table.pack(...)
  return neap.flow(function(emit)
    for i = 1, values.n do emit(values[i]) end
    error(err, 0)
  end)
end

--- Values with the times at which they came, in ms.
function flows.timed(flow)
  local list = {}
  flow:collect(function(v) list[#list + 1] = { v, math.floor(test.elapsed() * 1000 + 0.5) } end)
  return list
end

return flows
