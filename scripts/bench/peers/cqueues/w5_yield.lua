-- W5 with cqueues: ten tasks that poll for nothing.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")
local loop = require("loop")

local TASKS = 10

peer.measure("W5", cqueues.monotime, peer.size(1000000), function(count)
  local yields, bodies = 0, {}
  for i = 1, TASKS do
    bodies[i] = function()
      for _ = 1, count // TASKS do
        cqueues.poll()
        yields = yields + 1
      end
    end
  end
  loop(table.unpack(bodies))
  peer.check(yields, count // TASKS * TASKS)
end)
