--- What the peers' versions of the workloads share. They run under lua5.4 and print the line that ours
--- print, but for the floor.

local peer = {}

--- The size asked for on the command line.
---@param default integer
---@return integer
function peer.size(default) return math.tointeger(tonumber(arg[1] or default)) end

--- Raise unless the work was done.
function peer.check(done, expected)
  if done ~= expected then error("wrong result: " .. tostring(done) .. ", not " .. tostring(expected), 2) end
end

local function status_kb(field)
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^" .. field .. ":%s*(%d+) kB")
    if kb then return math.tointeger(kb) end
  end
end

---@return integer
function peer.rss_kb() return status_kb("VmRSS") end

--- Print one JSON line; `more` is what follows the keys that all of them have.
---@param name string
---@param n integer
---@param seconds number
---@param more string?
function peer.report(name, n, seconds, more)
  print(string.format('{"workload":"%s","n":%d,"seconds":%.6f,"ops_per_s":%.0f,"max_rss_kb":%d%s}',
    name, n, seconds, n / seconds, status_kb("VmHWM"), more or ""))
end

--- Do `work(n)` once a tenth as big to warm up, then measure it.
---@param name string
---@param clock fun(): number
---@param n integer
---@param work fun(count: integer)
function peer.measure(name, clock, n, work)
  work(n // 10)
  collectgarbage()
  local from = clock()
  work(n)
  peer.report(name, n, clock() - from)
end

return peer
