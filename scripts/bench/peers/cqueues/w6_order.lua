-- W6 with cqueues: three promises that poll once, and their values.

package.path = "scripts/bench/peers/?.lua;scripts/bench/peers/cqueues/?.lua;" .. package.path
local cqueues = require("cqueues")
local peer = require("peer")
local promise = require("cqueues.promise")
local loop = require("loop")

local function call(id, part)
  cqueues.poll()
  return id + part
end

peer.measure("W6", cqueues.monotime, peer.size(20000), function(count)
  local sum = 0
  loop(function()
    for id = 1, count do
      local order = promise.new(function()
        local a, b, c = promise.new(call, id, 1), promise.new(call, id, 2), promise.new(call, id, 3)
        return a:get() + b:get() + c:get()
      end)
      sum = sum + order:get()
    end
  end)
  peer.check(sum, 3 * count * (count + 1) // 2 + 6 * count)
end)
