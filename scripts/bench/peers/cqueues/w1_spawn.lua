-- W1 with cqueues: a controller for every 1,000 tasks, run until it is empty.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")

local SCOPE = 1000

peer.measure("W1", cqueues.monotime, peer.size(200000), function(count)
  local done = 0
  for left = count, 1, -SCOPE do
    local controller = cqueues.new()
    for _ = 1, math.min(left, SCOPE) do
      controller:wrap(function() done = done + 1 end)
    end
    assert(controller:loop())
    controller:close()
  end
  peer.check(done, count)
end)
