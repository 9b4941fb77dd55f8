--- Print the lines of a benchmark run as a table: median and spread of ours, its floor, the ratio of
--- the two (the median of the runs' ratios), and whether that is within the bound.

local json = require("neap.json")

local PEERS = { "copas", "cqueues" }

local function ns_per_op(line) return 1e9 / line.ops_per_s end
local function ns_per_floor_op(line) return 1e9 / line.floor_ops_per_s end
local function cpu_s(line) return line.user_s + line.system_s end
local function field(name, scale)
  return function(line) return line[name] / (scale or 1) end
end

-- A row's `bound` holds for the ratio to the floor, its `limit` for the figure itself. Y is the cost of
-- one resume and one yield of a bare coroutine.
local ROWS = {
  { "W1", "spawn, run and join a task", "ns", ns_per_op, ns_per_floor_op, bound = 0.92 },
  { "W2", "memory of a sleeping task", "B", field("bytes_per_task"), field("floor_bytes_per_task"), bound = 1.2 },
  { "W2M", "CPU of 1,000,000 sleepers", "s", cpu_s, field("floor_user_system_s"), bound = 2.5 },
  { "W3", "rendezvous round trip", "ns", ns_per_op, ns_per_floor_op, bound = 2.4 },
  { "W4", "item through two channels", "ns", ns_per_op, ns_per_floor_op, bound = 1.9, y = true },
  { "W5", "yield", "ns", ns_per_op, ns_per_floor_op, bound = 0.9, y = true },
  { "W6", "order of three calls", "ns", ns_per_op, ns_per_floor_op, bound = 0.8 },
  { "W7", "timeout set and dropped", "ns", ns_per_op, ns_per_floor_op, bound = 2.6, y = true },
  { "W8", "lock handed over", "ns", ns_per_op, ns_per_floor_op, bound = 2.9, y = true },
  { "P1", "turn of the loop, p50", "ms", field("p50_ms") },
  { "P1", "turn of the loop, p99", "ms", field("p99_ms") },
  { "P1", "turn of the loop, longest", "ms", field("max_ms"), field("floor_max_ms"), limit = 30 },
  { "S1", "start to first line", "ms", field("start_ms"), limit = 15 },
  { "S1", "memory when idle", "MiB", field("idle_rss_kb", 1024), limit = 8 },
  { "binary", "stripped, without plug-ins", "MiB", field("bytes", 1 << 20), limit = 4 },
}

local folder = arg[1]

-- The lines of one file; nil if there is no such file.
local function read(name)
  local file = io.open(folder .. "/" .. name .. ".jsonl")
  if not file then return nil end
  local lines = {}
  for text in file:lines() do
    lines[#lines + 1] = json.decode(text)
  end
  file:close()
  return lines
end

-- Median, least and greatest of `figure` over the lines.
local function summary(lines, figure)
  local figures = {}
  for i, line in ipairs(lines) do figures[i] = figure(line) end
  table.sort(figures)
  return figures[(#figures + 1) // 2], figures[1], figures[#figures]
end

-- Three digits that matter, and never fewer than the whole ones.
local function digits(x)
  if x >= 100 then return string.format("%.0f", x) end
  return string.format(x >= 10 and "%.1f" or "%.2f", x)
end

local FORMAT = "%-7s %-28s %9s %-3s  %-15s %8s %6s %7s  %-6s"

local function print_row(row)
  local name, what, unit, figure, floor = table.unpack(row)
  local lines = read(name)
  if not lines then return end

  local median, least, greatest = summary(lines, figure)
  local floor_text, ratio_text, ratio = "", "", nil
  if floor then
    ratio = summary(lines, function(line) return figure(line) / floor(line) end)
    floor_text, ratio_text = digits((summary(lines, floor))), string.format("%.2f", ratio)
  end
  local bound_text, verdict = "", ""
  if row.bound then
    bound_text = string.format("%g%s", row.bound, row.y and " Y" or "")
    verdict = ratio <= row.bound and "ok" or "MISSED"
  elseif row.limit then
    bound_text = string.format("%g %s", row.limit, unit)
    verdict = median <= row.limit and "ok" or "MISSED"
  end
  local text = string.format(FORMAT, name, what, digits(median), unit,
    digits(least) .. ".." .. digits(greatest), floor_text, ratio_text, bound_text, verdict)
  for _, peer in ipairs(PEERS) do
    local theirs = read(name .. "." .. peer)
    if theirs then text = text .. string.format("  %s %s", peer, digits((summary(theirs, figure)))) end
  end
  print((text:gsub(" +$", "")))
end

local function cpu_model()
  for line in io.lines("/proc/cpuinfo") do
    local model = line:match("^model name%s*: (.*)")
    if model then return model end
  end
  return "unknown processor"
end

print(cpu_model())
print(string.format(FORMAT, "", "", "median", "", "min..max", "floor", "ratio", "bound", ""))
local wanted = {}
for i = 2, #arg do wanted[arg[i]] = true end
for _, row in ipairs(ROWS) do
  if wanted[row[1]] then print_row(row) end
end
