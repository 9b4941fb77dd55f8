--- The services of a shop, in memory: stock, payments, parcels. A call takes its time, and goes
--- wrong where that was planned.
---
--- They do what a saga needs of any service: a call that is repeated under its key acts once,
--- and undoing what never happened is no error.

local neap = require("neap")

local shop = {}

-- How long each call takes, in seconds.
local TIMES = { reserve = 0.100, charge = 0.200, ship = 0.150, release = 0.050, refund = 0.100, recall = 0.050 }

---@class Fault
---@field kind "refused"|"down"|"lost"  The service says no; it fails, and has done nothing; it
---has acted, but its answer is lost.
---@field left number  How often it is still to happen.

local REFUSALS = { reserve = "out_of_stock", charge = "card_declined", ship = "undeliverable" }

---@class Entry  What was done for an order under a key.
---@field order Order
---@field state "planned"|"live"|"undone"

---@class Shop
---@field products table<integer, Product>
---@field units table<integer, integer>  In stock now.
---@field lowest table<integer, integer>  The fewest there ever were.
---@field reserved table<string, Entry>
---@field charged table<string, Entry>
---@field shipped table<string, Entry>
---@field faults table<string, table<string, Fault>>  By order and call.
local Shop = {}
Shop.__index = Shop

--- Open a shop with these products in stock.
---@param products Product[]
---@param faults? table<string, table<string, Fault>>  `{ ["A-1"] = { charge = { kind = "lost", left = 1 } } }`
---@return Shop
function shop.new(products, faults)
  local self = setmetatable({ products = {}, units = {}, lowest = {}, faults = faults or {},
    reserved = {}, charged = {}, shipped = {} }, Shop)
  for _, product in ipairs(products) do
    self.products[product.sku] = product
    self.units[product.sku] = product.units_in_stock
    self.lowest[product.sku] = product.units_in_stock
  end
  return self
end

-- Calls -------------------------------------------------------------------------------------

-- What goes wrong with this call, or nil.
function Shop:next_fault(name, order)
  local fault = (self.faults[order.id] or {})[name]
  if not fault or fault.left == 0 then return nil end
  fault.left = fault.left - 1
  return fault.kind
end

-- Half of the time passes before the service acts, the other half before its answer is there.
-- `act` returns why it refused, or nothing.
function Shop:call(name, order, act)
  local fault = self:next_fault(name, order)
  neap.sleep(TIMES[name] / 2)
  if fault == "down" then error(name .. ": service is down", 0) end
  local refusal = fault == "refused" and REFUSALS[name] or act()
  neap.sleep(TIMES[name] / 2)
  if refusal then neap.reject(refusal) end
  if fault == "lost" then error(name .. ": no answer", 0) end
end

-- Act once for each key, in full or not at all: the entry is there before, so that nothing
-- that may fail comes after the act.
function Shop:enter(name, ledger, order, key, act)
  self:call(name, order, function()
    local entry = ledger[key] or { order = order, state = "planned" }
    ledger[key] = entry
    if entry.state ~= "planned" then return nil end
    local refusal = act and act()
    if not refusal then entry.state = "live" end
    return refusal
  end)
end

-- Undo once what was done under the key.
function Shop:strike(name, ledger, order, key, act)
  self:call(name, order, function()
    local entry = ledger[key]
    if not entry or entry.state ~= "live" then return end
    if act then act() end
    entry.state = "undone"
  end)
end

-- Units by product: an order may name one twice.
local function count_units(order)
  local units = {}
  for _, item in ipairs(order.items) do units[item.sku] = (units[item.sku] or 0) + item.quantity end
  return units
end

function Shop:move(order, sign)
  for sku, count in pairs(count_units(order)) do
    local units = self.units[sku] + sign * count
    self.units[sku] = units
    if units < self.lowest[sku] then self.lowest[sku] = units end
  end
end

--- Take the items of an order out of the stock: all of them, or none.
---@async
function Shop:reserve(order, key)
  self:enter("reserve", self.reserved, order, key, function()
    for sku, count in pairs(count_units(order)) do
      if not self.products[sku] then return "unknown_product" end
      if self.units[sku] < count then return "out_of_stock" end
    end
    self:move(order, -1)
  end)
end

--- Put back what was reserved under that key.
---@async
function Shop:release(order, key)
  self:strike("release", self.reserved, order, key, function() self:move(order, 1) end)
end

---@async
function Shop:charge(order, key) self:enter("charge", self.charged, order, key) end

---@async
function Shop:refund(order, key) self:strike("refund", self.charged, order, key) end

---@async
function Shop:ship(order, key) self:enter("ship", self.shipped, order, key) end

---@async
function Shop:recall(order, key) self:strike("recall", self.shipped, order, key) end

-- Books -------------------------------------------------------------------------------------

-- How many live entries each order has.
local function count_live(ledger)
  local live = {}
  for _, entry in pairs(ledger) do
    local id = entry.order.id
    live[id] = (live[id] or 0) + (entry.state == "live" and 1 or 0)
  end
  return live
end

--- What does not add up when these orders are the approved ones: sentences, none if all does.
---@param approved Order[]
---@return string[]
function Shop:audit(approved)
  local problems, sold, is_approved = {}, {}, {}
  local function check(ok, message, ...)
    if not ok then problems[#problems + 1] = message:format(...) end
  end
  for _, order in ipairs(approved) do
    is_approved[order.id] = true
    for sku, count in pairs(count_units(order)) do sold[sku] = (sold[sku] or 0) + count end
  end

  for sku, product in pairs(self.products) do
    local first, left, out = product.units_in_stock, self.units[sku], sold[sku] or 0
    check(self.lowest[sku] >= 0, "product %d: its stock fell to %d", sku, self.lowest[sku])
    check(left + out == first, "product %d: %d at the start, but %d left and %d in approved orders",
      sku, first, left, out)
  end
  for _, what in ipairs({ "reserved", "charged", "shipped" }) do
    local live = count_live(self[what])
    for id, count in pairs(live) do
      check(count == 0 or is_approved[id], "order %s: not approved, and still %s", id, what)
    end
    for _, order in ipairs(approved) do
      check(live[order.id] == 1, "order %s: approved, and %s %d times", order.id, what, live[order.id] or 0)
    end
  end
  table.sort(problems)
  return problems
end

-- Faults ------------------------------------------------------------------------------------

-- Of 100 calls, so many are refused, fail however often they are tried, and fail once.
local CHANCES = {
  { name = "reserve", refused = 0, always = 4, once = 8 }, -- what is not in stock is refused anyway
  { name = "charge", refused = 4, always = 4, once = 8 },
  { name = "ship", refused = 4, always = 4, once = 8 },
}

--- Draw what goes wrong, from a seed. Every third undo fails the first time.
---@param list Order[]
---@param seed integer
---@return table<string, table<string, Fault>>
function shop.draw_faults(list, seed)
  math.randomseed(seed)
  local faults = {}
  for _, order in ipairs(list) do
    local plan = {}
    for _, call in ipairs(CHANCES) do
      local dice = math.random(100)
      local kind = math.random(2) == 1 and "down" or "lost"
      if dice <= call.refused then
        plan[call.name] = { kind = "refused", left = 1 }
      elseif dice <= call.refused + call.always then
        plan[call.name] = { kind = kind, left = math.huge }
      elseif dice <= call.refused + call.always + call.once then
        plan[call.name] = { kind = kind, left = 1 }
      end
    end
    for _, name in ipairs({ "release", "refund", "recall" }) do
      if math.random(3) == 1 then plan[name] = { kind = "down", left = 1 } end
    end
    faults[order.id] = plan
  end
  return faults
end

return shop
