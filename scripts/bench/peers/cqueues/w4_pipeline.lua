-- W4 with cqueues: a producer, ten consumers and two channels made of conditions.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")
local sync = require("sync")
local loop = require("loop")

local CAPACITY, CONSUMERS = 100, 10

peer.measure("W4", cqueues.monotime, peer.size(200000), function(count)
  local items, results, sum = sync.channel(CAPACITY), sync.channel(CAPACITY), 0
  local function consume()
    for item in items.recv, items do results:send(item) end
  end
  local bodies = {}
  for i = 1, CONSUMERS do bodies[i] = consume end
  loop(function()
    for i = 1, count do items:send(i) end
    items:close()
  end, function()
    for _ = 1, count do sum = sum + results:recv() end
  end, table.unpack(bodies))
  peer.check(sum, count * (count + 1) // 2)
end)
