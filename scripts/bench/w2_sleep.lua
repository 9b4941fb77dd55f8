-- What does a sleeping task hold, and what does it cost to put very many to sleep for a second?
-- Floor: as many bare coroutines in a binary heap, in another process of the same binary.

local neap = require("neap")
local bench = require("bench")

local n = bench.size(100000)
local SECONDS = 1
-- The floor lets the host go round after so many, or watching an endless slice would be part of it.
local BREATH = 1000

-- Runs `sleep_all(lie_down, wake_up)`: n sleepers call the one before and the other after they slept.
-- The last one to lie down looks at what all of them hold.
local function measure(sleep_all)
  local lying, woken, all_asleep_kb = 0, 0, nil
  collectgarbage()
  local before_kb = bench.rss_kb()
  local user_s, system_s = bench.cpu()
  local from = neap.monotonic()

  sleep_all(function()
    lying = lying + 1
    if lying == n then all_asleep_kb = bench.rss_kb() end
  end, function()
    woken = woken + 1
  end)

  local seconds = neap.monotonic() - from
  local user_end_s, system_end_s = bench.cpu()
  bench.check(woken, n)
  return seconds, math.tointeger((all_asleep_kb - before_kb) * 1024 // n), user_end_s - user_s, system_end_s - system_s
end

local function tasks(lie_down, wake_up)
  local function sleeper()
    lie_down()
    neap.sleep(SECONDS)
    wake_up()
  end
  -- All are spawned in one slice, so that all are asleep at once. The host reports that it is long.
  neap.scope(function(s)
    for _ = 1, n do s:spawn(sleeper) end
  end)
end

-- A binary heap of coroutines by the time at which they want to go on, in two arrays.
local size, at, who = 0, {}, {}

local function push(time, sleeper)
  size = size + 1
  local i = size
  while i > 1 and at[i // 2] > time do
    at[i], who[i] = at[i // 2], who[i // 2]
    i = i // 2
  end
  at[i], who[i] = time, sleeper
end

local function pop()
  local first, time, sleeper = who[1], at[size], who[size]
  at[size], who[size] = nil, nil
  size = size - 1
  local i = 1
  while 2 * i <= size do
    local child = 2 * i
    if child < size and at[child + 1] < at[child] then child = child + 1 end
    if time <= at[child] then break end
    at[i], who[i] = at[child], who[child]
    i = child
  end
  if size > 0 then at[i], who[i] = time, sleeper end
  return first
end

local function coroutines(lie_down, wake_up)
  local create, resume, yield = bench.coroutine.create, bench.coroutine.resume, bench.coroutine.yield
  -- Read once for all who lie down in this turn, as a loop would. Where it is read for each, the heap
  -- has everything to sort and costs three times as much.
  local now = neap.monotonic()
  local function sleeper()
    lie_down()
    yield(now + SECONDS)
    wake_up()
  end
  for i = 1, n do
    local co = create(sleeper)
    local _, time = resume(co)
    push(time, co)
    if i % BREATH == 0 then neap.yield() end
  end
  while size > 0 do
    local left = at[1] - neap.monotonic()
    if left > 0 then neap.sleep(left) end
    resume(pop())
    if size % BREATH == 0 then neap.yield() end
  end
end

if os.getenv("FLOOR") then
  print(measure(coroutines))
  return
end

-- $PPID is this process as its shell sees it, so that link names the binary that is running.
local pipe <close> = assert(io.popen(string.format("FLOOR=1 exec /proc/$PPID/exe run %s %d", arg[0], n)))
local floor_s, floor_bytes, floor_user_s, floor_system_s = pipe:read("n", "n", "n", "n")
local seconds, bytes, user_s, system_s = measure(tasks)
bench.report(n < 1000000 and "W2" or "W2M", n, seconds, floor_s,
  "bytes_per_task", bytes, "floor_bytes_per_task", floor_bytes,
  "user_s", user_s, "system_s", system_s, "floor_user_system_s", floor_user_s + floor_system_s)
