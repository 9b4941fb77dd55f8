--- Five calls, each needing what others found, written from top to bottom. What does not
--- need each other runs side by side. The same function works with services that call
--- back: `neap.suspend` makes a call that waits of one that does not.

local neap = require("neap")

-- The services, as functions that wait ------------------------------------------------------

local BUYERS = { ada = { name = "Ada", address = 1 }, bo = { name = "Bo", address = 2 } }
local ADDRESSES = { { city = "Bergen", region = "north" }, { city = "Porto", region = "south" } }
local PRODUCTS = { lamp = { name = "Lamp", cents = 4900 }, rope = { name = "Rope", cents = 700 } }

local services = {}

function services.find_buyer(id)
  neap.sleep("100ms")
  return BUYERS[id]
end

function services.find_address(buyer)
  neap.sleep("200ms")
  return ADDRESSES[buyer.address]
end

function services.find_products(names)
  neap.sleep("100ms")
  local found = {}
  for _, name in ipairs(names) do found[#found + 1] = PRODUCTS[name] end
  return found
end

function services.find_stores(products)
  neap.sleep("150ms")
  local stores = {}
  for i, product in ipairs(products) do stores[i] = { region = "north", product = product } end
  return stores
end

function services.create(order)
  neap.sleep("50ms")
  local cents = 0
  for _, product in ipairs(order.products) do cents = cents + product.cents end
  return { buyer = order.buyer.name, city = order.address.city, total_cents = cents }
end

-- The order ---------------------------------------------------------------------------------

local function fail(kind, message, ...)
  error(neap.error(kind, message:format(...)), 0)
end

-- `join` runs functions and returns the value of each: all at once, as `neap.all` does.
local function create_order(api, buyer_id, names, join)
  local buyer = api.find_buyer(buyer_id)
  if not buyer then fail("no_such_buyer", "there is no buyer %q", buyer_id) end

  local address, stock = (join or neap.all)({
    function() return api.find_address(buyer) end,
    function()
      local products = api.find_products(names)
      if #products == 0 then fail("no_products", "none of these is sold: %s", table.concat(names, ", ")) end
      return { products = products, stores = api.find_stores(products) }
    end,
  })
  for _, store in ipairs(stock.stores) do
    if store.region ~= address.region then
      fail("bad_region", "%s is sold in the %s, not in %s", store.product.name, store.region, address.city)
    end
  end
  return api.create({ buyer = buyer, address = address, products = stock.products })
end

-- To compare: one after the other.
local function in_turn(list)
  local values = {}
  for i, fn in ipairs(list) do values[i] = fn() end
  return table.unpack(values)
end

-- The same services, calling back -----------------------------------------------------------

-- `callbacks.find_buyer(id, done)` returns at once, and calls `done(err, buyer)` later. What
-- it returns is a function that calls it off.
local callbacks = {}
for name, call in pairs(services) do
  callbacks[name] = function(argument, done)
    local task = neap.app:spawn(function()
      local ok, value = neap.try(call, argument)
      if ok then done(nil, value) else done(value) end
    end)
    return function() task:cancel() end
  end
end

local function bridge(call)
  return function(argument)
    return neap.suspend(function(resume)
      return call(argument, function(err, value) resume(not err, err or value) end)
    end)
  end
end

local bridged = {}
for name, call in pairs(callbacks) do bridged[name] = bridge(call) end

neap.main(function()
  local function try(title, ...)
    local began = neap.monotonic()
    local ok, order = neap.try(create_order, ...)
    local shown = ok and ("%s, %s: %d cents"):format(order.buyer, order.city, order.total_cents)
      or order.message
    print(("%-14s %-39s %3.0f ms"):format(title, shown, (neap.monotonic() - began) * 1000))
  end
  try("side by side", services, "ada", { "lamp", "rope" })
  try("in turn", services, "ada", { "lamp", "rope" }, in_turn)
  try("by callbacks", bridged, "ada", { "lamp", "rope" })
  try("no such buyer", services, "cy", { "lamp" })
  try("no products", services, "ada", { "anchor" })
  try("bad region", services, "bo", { "rope" })
end)

return { create_order = create_order, in_turn = in_turn, bridge = bridge, services = services,
  bridged = bridged }
