-- How long does the host take to the first line of a script, and what does it hold when idle?
-- Floor: starting true(1).

local neap = require("neap")
local bench = require("bench")

if os.getenv("FIRST_LINE") then
  print(neap.now())
  neap.sleep("100ms")
  print(bench.rss_kb())
  return
end

local n = bench.size(20)
-- $PPID is this process as its shell sees it, so that link names the binary that is running.
local HOST = string.format("FIRST_LINE=1 exec /proc/$PPID/exe run %s", arg[0])

local function start_host()
  local from = neap.now()
  local pipe <close> = assert(io.popen(HOST))
  local first_line, rss_kb = pipe:read("n", "n")
  return first_line - from, rss_kb
end

local function start_true()
  local from = neap.now()
  local pipe <close> = assert(io.popen("exec true"))
  bench.check(pipe:read("a"), "")
  return neap.now() - from
end

start_host()
local start_s, idle_kb, floor_s = {}, {}, {}
for i = 1, n do
  start_s[i], idle_kb[i] = start_host()
  floor_s[i] = start_true()
end
local start = bench.median(start_s)
bench.report("S1", n, n * start, n * bench.median(floor_s),
  "start_ms", start * 1000, "idle_rss_kb", bench.median(idle_kb))
