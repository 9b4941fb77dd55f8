-- What does it cost a task to let the others run?
-- Floor: one resume and one yield of a bare coroutine.

local neap = require("neap")
local bench = require("bench")

local TASKS = 10

local function ours(count)
  local yields = 0
  neap.scope(function(s)
    for i = 1, TASKS do
      s:spawn(function()
        -- The first count % TASKS of them do one more.
        local mine = count // TASKS + (i <= count % TASKS and 1 or 0)
        for _ = 1, mine do neap.yield() end
        yields = yields + mine
      end)
    end
  end)
  bench.check(yields, count)
end

bench.compare { name = "W5", n = bench.size(10000000), round = 50000, ours = ours }
