--- What the workloads share: rounds, the clock, the floor most of them have, and the line they print.
--- A workload is run in rounds of some milliseconds, ours and the floor in turn, so that the noise of
--- the machine meets both; the median round stands for all. A round is shorter than a slice that the
--- host would report, because watching a slice that is too long costs the floor something.

local neap = require("neap")

local coroutine = neap.raw.coroutine

local bench = {}

--- Lua's own coroutine functions, which floors are made of.
bench.coroutine = coroutine

--- The size asked for on the command line.
---@param default integer
---@return integer
function bench.size(default)
  local n = math.tointeger(tonumber(arg[1] or default))
  if not n or n < 1 then error("size: a whole number of at least 1, not " .. arg[1], 0) end
  return n
end

--- The middle one of some figures, which are sorted by it.
---@param figures number[]
---@return number
function bench.median(figures)
  table.sort(figures)
  return figures[(#figures + 1) // 2]
end

--- Raise unless the work was done.
function bench.check(done, expected)
  if done ~= expected then error("wrong result: " .. tostring(done) .. ", not " .. tostring(expected), 2) end
end

local function status_kb(field)
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^" .. field .. ":%s*(%d+) kB")
    if kb then return math.tointeger(kb) end
  end
end

--- Resident memory now and at its highest, in kB.
---@return integer
function bench.rss_kb() return status_kb("VmRSS") end

---@return integer
function bench.max_rss_kb() return status_kb("VmHWM") end

--- CPU time of this process so far. The kernel counts it in ticks of 10 ms.
---@return number user_s
---@return number system_s
function bench.cpu()
  local file <close> = assert(io.open("/proc/self/stat"))
  -- Fields 14 and 15; the second one is a name in parentheses that may hold blanks.
  local user, system = file:read("a"):match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
  return user / 100, system / 100
end

--- Y: `count` times one resume and one yield of a bare coroutine.
---@param count integer
function bench.switches(count)
  local resume, yield = coroutine.resume, coroutine.yield
  local partner = coroutine.create(function()
    while true do yield() end
  end)
  for _ = 1, count do resume(partner) end
end

--- Print one JSON line. Every workload has the first six keys; what else it found out comes as pairs
--- of name and number.
---@param name string
---@param n integer
---@param seconds number
---@param floor_s number  What the floor took for the same `n`.
---@param ... string|number
function bench.report(name, n, seconds, floor_s, ...)
  local line = string.format('{"workload":"%s","n":%d,"seconds":%.6f,"ops_per_s":%.0f,"max_rss_kb":%d',
    name, n, seconds, n / seconds, bench.max_rss_kb())
  line = line .. string.format(',"floor_ops_per_s":%.0f', n / floor_s)
  local more = { ... }
  for i = 1, #more, 2 do
    local form = math.type(more[i + 1]) == "integer" and ',"%s":%d' or ',"%s":%.3f'
    line = line .. string.format(form, more[i], more[i + 1])
  end
  print(line .. "}")
end

local function timed(work, count)
  collectgarbage() -- nobody pays for what the other one left
  local from = neap.monotonic()
  work(count)
  return (neap.monotonic() - from) / count
end

---@class neap.bench.Workload
---@field name string
---@field n integer
---@field round integer  Operations in a round.
---@field ours async fun(count: integer)
---@field floor? fun(count: integer)

--- Run `n` operations of a workload and `n` of its floor, and print the result.
--- `ours(count)` and `floor(count)` do `count` operations and raise if the result is wrong. The floor
--- is Y where none is given.
---@async
---@param workload neap.bench.Workload
function bench.compare(workload)
  local n, round, ours = workload.n, workload.round, workload.ours
  local floor = workload.floor or bench.switches
  local warm_up = math.min(n, round)
  ours(warm_up)
  floor(warm_up)

  local our_s, floor_s = {}, {} -- per operation
  for left = n, 1, -round do
    local count = math.min(left, round)
    our_s[#our_s + 1] = timed(ours, count)
    neap.yield() -- the floor's slice begins here
    floor_s[#floor_s + 1] = timed(floor, count)
    neap.yield()
  end
  bench.report(workload.name, n, n * bench.median(our_s), n * bench.median(floor_s))
end

return bench
