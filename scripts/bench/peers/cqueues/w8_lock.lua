-- W8 with cqueues: a hundred tasks and a lock made of a condition.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")
local sync = require("sync")
local loop = require("loop")

local TASKS = 100

peer.measure("W8", cqueues.monotime, peer.size(100000), function(count)
  local lock, total, bodies = sync.lock(), 0, {}
  for i = 1, TASKS do
    bodies[i] = function()
      for _ = 1, count // TASKS do
        lock:lock()
        local seen = total
        cqueues.poll()
        total = seen + 1
        lock:unlock()
      end
    end
  end
  loop(table.unpack(bodies))
  peer.check(total, count // TASKS * TASKS)
end)
