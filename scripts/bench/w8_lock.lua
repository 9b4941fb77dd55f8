-- What does it cost to hand a lock from task to task when each yields while it holds it?
-- Floor: one resume and one yield of a bare coroutine.

local neap = require("neap")
local bench = require("bench")

local TASKS = 100

local function ours(count)
  local lock, total = neap.mutex(), 0
  neap.scope(function(s)
    for i = 1, TASKS do
      s:spawn(function()
        -- The first count % TASKS of them do one more.
        for _ = 1, count // TASKS + (i <= count % TASKS and 1 or 0) do
          local _ <close> = lock:lock()
          local seen = total
          neap.yield()
          total = seen + 1 -- wrong if anybody else was let in
        end
      end)
    end
  end)
  bench.check(total, count)
end

bench.compare { name = "W8", n = bench.size(1000000), round = 20000, ours = ours }
