-- W7 with cqueues: a promise that polls once, waited for at most five seconds.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")
local promise = require("cqueues.promise")
local loop = require("loop")

peer.measure("W7", cqueues.monotime, peer.size(50000), function(count)
  local done = 0
  local function body()
    cqueues.poll()
    done = done + 1
  end
  loop(function()
    for _ = 1, count do promise.new(body):get(5) end
  end)
  peer.check(done, count)
end)
