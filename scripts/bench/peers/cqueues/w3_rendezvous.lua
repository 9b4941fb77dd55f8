-- W3 with cqueues: round trips over two channels made of conditions.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")
local sync = require("sync")
local loop = require("loop")

peer.measure("W3", cqueues.monotime, peer.size(50000), function(count)
  local there, back, sum = sync.channel(0), sync.channel(0), 0
  loop(function()
    for _ = 1, count do back:send(there:recv()) end
  end, function()
    for i = 1, count do
      there:send(i)
      sum = sum + back:recv()
    end
  end)
  peer.check(sum, count * (count + 1) // 2)
end)
