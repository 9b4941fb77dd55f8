-- What does an item cost that goes through a channel, one of ten consumers, and a second channel?
-- Floor: one resume and one yield of a bare coroutine for each item.

local neap = require("neap")
local bench = require("bench")

local CAPACITY, CONSUMERS = 100, 10

local function ours(count)
  local items, results = neap.channel(CAPACITY), neap.channel(CAPACITY)
  local sum = 0
  neap.scope(function(s)
    s:spawn(function()
      for i = 1, count do items:send(i) end
      items:close()
    end)
    for _ = 1, CONSUMERS do
      s:spawn(function()
        for item in items do results:send(item) end
      end)
    end
    for _ = 1, count do sum = sum + results:recv() end
  end)
  bench.check(sum, count * (count + 1) // 2)
end

bench.compare { name = "W4", n = bench.size(1000000), round = 20000, ours = ours }
