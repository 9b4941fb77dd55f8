-- For how long does the loop stand still when one task allocates while very many are asleep?
-- Floor: the same turns while as many bare coroutines are suspended.

local neap = require("neap")
local bench = require("bench")

local TURNS = bench.size(10000)
local SLEEPERS = 100000
-- About 70 kB a turn, so that in all its turns the collector goes round several times.
local TABLES = 1000
local BREATH = 1000

-- How long all turns took together, in seconds, and each of them in ms, from the shortest on.
local function turns()
  local ms = {}
  for turn = 1, TURNS do
    local from = neap.monotonic()
    local made
    for i = 1, TABLES do made = { i } end
    bench.check(made[1], TABLES)
    neap.yield()
    ms[turn] = (neap.monotonic() - from) * 1000
  end
  local sum_ms = 0
  for _, turn_ms in ipairs(ms) do sum_ms = sum_ms + turn_ms end
  table.sort(ms)
  return sum_ms / 1000, ms
end

local function beside_coroutines()
  local suspended = {}
  for i = 1, SLEEPERS do
    suspended[i] = bench.coroutine.create(bench.coroutine.yield)
    bench.coroutine.resume(suspended[i])
    if i % BREATH == 0 then neap.yield() end
  end
  local seconds, ms = turns()
  bench.check(#suspended, SLEEPERS)
  return seconds, ms
end

local function beside_tasks()
  local asleep, seconds, ms = 0, nil, nil
  neap.scope(function(s)
    for i = 1, SLEEPERS do
      s:spawn(function()
        asleep = asleep + 1
        neap.sleep(math.huge)
      end)
      if i % BREATH == 0 then neap.yield() end
    end
    bench.check(asleep, SLEEPERS)
    seconds, ms = turns()
    s:cancel()
  end)
  return seconds, ms
end

local floor_s, floor_ms = beside_coroutines()
repeat neap.yield() until collectgarbage("step")
local seconds, ms = beside_tasks()
bench.report("P1", TURNS, seconds, floor_s, "p50_ms", ms[(TURNS + 1) // 2], "p99_ms", ms[(TURNS * 99 + 99) // 100],
  "max_ms", ms[TURNS], "floor_max_ms", floor_ms[TURNS])
