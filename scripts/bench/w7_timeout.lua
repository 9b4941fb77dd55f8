-- What does it cost to put a timeout around a body that waits once?
-- Floor: one resume and one yield of a bare coroutine.

local neap = require("neap")
local bench = require("bench")

local function ours(count)
  local done = 0
  local function body()
    neap.yield()
    done = done + 1
  end
  for _ = 1, count do neap.timeout("5s", body) end
  bench.check(done, count)
end

bench.compare { name = "W7", n = bench.size(1000000), round = 20000, ours = ours }
