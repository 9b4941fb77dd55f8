-- What does it cost to spawn a task, run it and join it?
-- Floor: create a bare coroutine and resume it to its end, in batches of the same size.

local neap = require("neap")
local bench = require("bench")

local SCOPE = 1000

local function batches(count, run)
  local done = 0
  local function task() done = done + 1 end
  for left = count, 1, -SCOPE do run(task, math.min(left, SCOPE)) end
  bench.check(done, count)
end

local function spawn_and_join(task, count)
  neap.scope(function(s)
    for _ = 1, count do s:spawn(task) end
  end)
end

local function create_and_resume(task, count)
  local create, resume = bench.coroutine.create, bench.coroutine.resume
  local batch = {}
  for i = 1, count do batch[i] = create(task) end
  for i = 1, count do resume(batch[i]) end
end

bench.compare {
  name = "W1",
  n = bench.size(1000000),
  round = 10000,
  ours = function(count) batches(count, spawn_and_join) end,
  floor = function(count) batches(count, create_and_resume) end,
}
