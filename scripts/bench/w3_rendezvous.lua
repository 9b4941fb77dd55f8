-- What does a round trip over two rendezvous channels between two tasks cost?
-- Floor: two bare coroutines hand a value over and back: one resume, one yield.

local neap = require("neap")
local bench = require("bench")

local function ours(count)
  local there, back = neap.channel(), neap.channel()
  local sum = 0
  neap.scope(function(s)
    s:spawn(function()
      for _ = 1, count do back:send(there:recv()) end
    end)
    for i = 1, count do
      there:send(i)
      sum = sum + back:recv()
    end
  end)
  bench.check(sum, count * (count + 1) // 2)
end

local function floor(count)
  local resume, yield = bench.coroutine.resume, bench.coroutine.yield
  local partner = bench.coroutine.create(function(v)
    while true do v = yield(v) end
  end)
  local sum = 0
  for i = 1, count do
    local _, v = resume(partner, i)
    sum = sum + v
  end
  bench.check(sum, count * (count + 1) // 2)
end

bench.compare { name = "W3", n = bench.size(1000000), round = 20000, ours = ours, floor = floor }
