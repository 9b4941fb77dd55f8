--- What became of many orders, and the table about it.

local neap = require("neap")

---@class Result  Of one order.
---@field order Order
---@field status "APPROVED"|"REJECTED"|"COMPENSATED"|"CANCELLED"  The last also while it is under way.
---@field steps { name: string, outcome: "done"|"failed"|"unknown" }[]  In the order in which they began.
---@field undone { name: string, attempts: integer }[]  In the order in which they were undone.
---@field error? neap.Error  Why it is rejected or compensated.

---@class Run
---@field orders Order[]  All that are to be placed.
---@field shop Shop
---@field results Result[]  Of those that have begun.
local Run = {}
Run.__index = Run

local run = {}

--- Begin a run.
---@param orders Order[]
---@param shop Shop
---@return Run
function run.new(orders, shop)
  return setmetatable({ orders = orders, shop = shop, results = {}, began = neap.monotonic() }, Run)
end

--- Begin an order: its result, to be filled in.
---@param order Order
---@return Result
function Run:begin(order)
  local result = { order = order, status = "CANCELLED", steps = {}, undone = {} }
  self.results[#self.results + 1] = result
  return result
end

--- How many orders have each status.
---@return table<string, integer>
function Run:counts()
  local counts = { APPROVED = 0, REJECTED = 0, COMPENSATED = 0, CANCELLED = 0 }
  for _, result in ipairs(self.results) do counts[result.status] = counts[result.status] + 1 end
  return counts
end

--- The approved orders.
---@return Order[]
function Run:approved()
  local list = {}
  for _, result in ipairs(self.results) do
    if result.status == "APPROVED" then list[#list + 1] = result.order end
  end
  return list
end

-- 3581306 -> "35,813.06"
local function money(cents)
  local whole = tostring(cents // 100):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return ("%s.%02d"):format(whole, cents % 100)
end

-- Why orders ended with that status, the commonest first: "4 card_declined, 3 out_of_stock";
-- for those that a failure ended: "2 at charge, 1 at ship".
function Run:reasons(status)
  local counts, list = {}, {}
  for _, result in ipairs(self.results) do
    if result.status == status then
      local reason = status == "REJECTED" and result.error.code or "at " .. result.steps[#result.steps].name
      if not counts[reason] then list[#list + 1] = reason end
      counts[reason] = (counts[reason] or 0) + 1
    end
  end
  table.sort(list, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  for i, reason in ipairs(list) do list[i] = ("%d %s"):format(counts[reason], reason) end
  return table.concat(list, ", ")
end

-- How many entries of a ledger stand, and how many are struck out.
local function count_entries(ledger)
  local live, undone = 0, 0
  for _, entry in pairs(ledger) do
    if entry.state == "live" then live = live + 1 end
    if entry.state == "undone" then undone = undone + 1 end
  end
  return live, undone
end

-- How many undos there were, and how many of them failed at first.
function Run:count_undos()
  local all, again = 0, 0
  for _, result in ipairs(self.results) do
    all = all + #result.undone
    for _, undo in ipairs(result.undone) do
      if undo.attempts > 1 then again = again + 1 end
    end
  end
  return all, again
end

-- Units in approved orders, and in stock; and what the approved orders cost.
function Run:count_units()
  local sold, left, cents = 0, 0, 0
  for _, order in ipairs(self:approved()) do
    cents = cents + order.total_cents
    for _, item in ipairs(order.items) do sold = sold + item.quantity end
  end
  for _, units in pairs(self.shop.units) do left = left + units end
  return sold, left, cents
end

--- The table at the end. The number in front of a line is the sum of what stands in it or
--- below it.
---@param limit integer
---@param seed integer
---@return string
function Run:report(limit, seed)
  local lines = {}
  local function add(label, number, text, ...)
    local line = ("%-14s %6d   %s"):format(label, number, text:format(...))
    lines[#lines + 1] = line:match("^(.-)%s*$")
  end
  local sold, left, cents = self:count_units()
  local counts, waiting = self:counts(), #self.orders - #self.results

  add("orders", #self.orders, "%.1f s, %d at once, seed %d", neap.monotonic() - self.began, limit, seed)
  add("  approved", counts.APPROVED, "%s charged", money(cents))
  add("  rejected", counts.REJECTED, "%s", self:reasons("REJECTED"))
  add("  compensated", counts.COMPENSATED, "%s", self:reasons("COMPENSATED"))
  if counts.CANCELLED > 0 then add("  cancelled", counts.CANCELLED, "and undone") end
  if waiting > 0 then add("  not begun", waiting, "") end
  lines[#lines + 1] = ""

  add("units", sold + left, "%d sold, %d in stock", sold, left)
  local live, undone = count_entries(self.shop.charged)
  add("charges", live + undone, "%d of approved orders, %d refunded", live, undone)
  live, undone = count_entries(self.shop.shipped)
  add("parcels", live + undone, "%d of approved orders, %d recalled", live, undone)
  local all, again = self:count_undos()
  add("undos", all, "%d at the first attempt, %d at a later one", all - again, again)
  return table.concat(lines, "\n")
end

return run
