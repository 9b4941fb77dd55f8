-- For how long does the loop stand still when one task allocates while very many are asleep?
-- Floor: the same turns with nobody asleep.

local neap = require("neap")
local bench = require("bench")

local SLEEPERS = bench.size(100000)
local TURNS = 10000
-- About 70 kB a turn: enough for the collector to go round several times.
local TABLES = 1000

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

turns()
local floor_s = turns()
neap.scope(function(s)
  local asleep = 0
  for _ = 1, SLEEPERS do
    s:spawn(function()
      asleep = asleep + 1
      neap.sleep(math.huge)
    end)
  end
  neap.yield()
  bench.check(asleep, SLEEPERS)
  local seconds, ms = turns()
  bench.report("P1", TURNS, seconds, floor_s,
    "p50_ms", ms[TURNS // 2], "p99_ms", ms[TURNS * 99 // 100], "max_ms", ms[TURNS])
  s:cancel()
end)
