-- W2 with cqueues: that many tasks sleep for a second in one controller.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")

local n = peer.size(100000)
local lying, woken, all_asleep_kb = 0, 0, nil
collectgarbage()
local before_kb = peer.rss_kb()
local from = cqueues.monotime()

local controller = cqueues.new()
for _ = 1, n do
  controller:wrap(function()
    lying = lying + 1
    if lying == n then all_asleep_kb = peer.rss_kb() end
    cqueues.sleep(1)
    woken = woken + 1
  end)
end
assert(controller:loop())

peer.check(woken, n)
local seconds, bytes = cqueues.monotime() - from, (all_asleep_kb - before_kb) * 1024 // n
peer.report("W2", n, seconds, string.format(',"bytes_per_task":%d', bytes))
