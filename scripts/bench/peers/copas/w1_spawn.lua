-- W1 with copas: threads added in batches of 1,000. Each runs at once, to its end, so nothing is left
-- to join. Debian's copas 1.2.0 can wait for sockets and for nothing else: it has none of the other workloads.

-- Debian installs it for 5.1 to 5.3 only; it is plain Lua and runs under 5.4.
package.path = "scripts/bench/peers/?.lua;" .. package.path .. ";/usr/share/lua/5.2/?.lua;/usr/share/lua/5.3/?.lua"
local copas = require("copas")
local socket = require("socket")
local peer = require("peer")

local SCOPE = 1000

peer.measure("W1", socket.gettime, peer.size(1000000), function(count)
  local done = 0
  for left = count, 1, -SCOPE do
    for _ = 1, math.min(left, SCOPE) do
      copas.addthread(function() done = done + 1 end)
    end
  end
  peer.check(done, count)
end)
