--- Orders flow from channel to channel. A stage handles each in a task of its own and
--- sends the result on. Whoever sends closes: one close at the source ends every stage.

local neap = require("neap")

local function produce(list, orders)
  for _, order in ipairs(list) do orders:send(order) end
  orders:close()
end

local function stage(input, handle, output)
  neap.scope(function(s)
    for value in input do -- until it is closed
      s:spawn(function() output:send(handle(value)) end)
    end
  end) -- all tasks have ended: nobody sends any more
  output:close()
end

local function pack(order)
  neap.sleep(order.seconds)
  return ("%s packed after %g s"):format(order.id, order.seconds)
end

neap.main(function()
  local list = {
    { id = "A-1", seconds = 0.3 },
    { id = "A-2", seconds = 0.1 },
    { id = "A-3", seconds = 0.2 },
  }
  local orders, parcels = neap.channel(), neap.channel()
  neap.scope(function(s)
    s:spawn(produce, list, orders)
    s:spawn(stage, orders, pack, parcels)
    for parcel in parcels do print(parcel) end
  end)
end)

return { produce = produce, stage = stage, pack = pack }
