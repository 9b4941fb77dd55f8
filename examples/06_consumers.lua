--- Ten consumers compete for the orders in one channel: ten times the throughput of one.
--- What fails is one order, caught where it is handled; its consumer takes the next.

local neap = require("neap")

local function consume(number, orders, handle, results)
  for order in orders do
    local ok, err = neap.try(handle, order, number)
    results[#results + 1] = { order = order, consumer = number, err = not ok and err or nil }
  end
end

-- What became of each order of the list, in the order in which they ended.
local function run(list, consumers, handle)
  local orders, results = neap.channel(), {}
  neap.scope(function(s)
    for number = 1, consumers do s:spawn(consume, number, orders, handle, results) end
    for _, order in ipairs(list) do orders:send(order) end
    orders:close()
  end)
  return results
end

local function handle(order, consumer)
  neap.sleep("50ms")
  if consumer == 7 then error(("order %d: consumer 7 has no printer"):format(order), 0) end
end

neap.main(function()
  local list = {}
  for n = 1, 100 do list[n] = n end
  local began = neap.monotonic()
  local failed = 0
  for _, result in ipairs(run(list, 10, handle)) do
    if result.err then
      failed = failed + 1
      print(result.err)
    end
  end
  print(("%d orders, %d failed, %.1f s"):format(#list, failed, neap.monotonic() - began))
end)

return { run = run, handle = handle }
