--- Orders and products from files with one JSON object a line, checked before anything acts
--- on them. What is wrong is raised with the name of the file and the number of the line.

local neap = require("neap")

local orders = {}

---@class Order
---@field id string
---@field customer string
---@field ship_to table<string, string>  `region` and `postal_code` may be `neap.json.null`.
---@field items Item[]
---@field total_cents integer

---@class Item
---@field sku integer
---@field name string
---@field unit_price_cents integer
---@field quantity integer
---@field discount_percent integer

---@class Product
---@field sku integer
---@field name string
---@field units_in_stock integer

--- What an item costs. A fraction of a cent is the customer's: it is rounded down.
---@param item Item
---@return integer cents
function orders.price(item)
  return item.unit_price_cents * item.quantity * (100 - item.discount_percent) // 100
end

--- What the items of an order cost together.
---@param order Order
---@return integer cents
function orders.total(order)
  local cents = 0
  for _, item in ipairs(order.items) do cents = cents + orders.price(item) end
  return cents
end

-- Checks ------------------------------------------------------------------------------------

local function wrong(message, ...)
  error(neap.error("input", message:format(...)), 0)
end

local function shown(value)
  if value == nil then return "nothing" end
  local text = neap.json.encode(value)
  return #text <= 40 and text or text:sub(1, utf8.offset(text, 0, 37) - 1) .. "..."
end

local function check_object(where, value)
  if type(value) ~= "table" or neap.json.is_array(value) then
    wrong("%san object expected, got %s", where, shown(value))
  end
end

local function check_text(where, value)
  if type(value) ~= "string" or value == "" then
    wrong("%s: a text expected, got %s", where, shown(value))
  end
end

local function check_number(where, value, min, max)
  if math.type(value) ~= "integer" or value < min or value > max then
    wrong("%s: a whole number from %d to %d expected, got %s", where, min, max, shown(value))
  end
end

local function check_item(where, item)
  check_object(where .. ": ", item)
  check_number(where .. ".sku", item.sku, 1, 1000000)
  check_text(where .. ".name", item.name)
  check_number(where .. ".unit_price_cents", item.unit_price_cents, 0, 100000000)
  check_number(where .. ".quantity", item.quantity, 1, 1000000)
  check_number(where .. ".discount_percent", item.discount_percent, 0, 100)
end

local function check_order(order)
  check_text("id", order.id)
  check_text("customer", order.customer)
  check_object("ship_to: ", order.ship_to)
  for _, field in ipairs({ "name", "address", "city", "country" }) do
    check_text("ship_to." .. field, order.ship_to[field])
  end
  if not neap.json.is_array(order.items) or #order.items == 0 then
    wrong("items: a list of at least one expected, got %s", shown(order.items))
  end
  for i, item in ipairs(order.items) do check_item(("items[%d]"):format(i), item) end
  check_number("total_cents", order.total_cents, 0, 1000000000000)
end

local function check_product(product)
  check_number("sku", product.sku, 1, 1000000)
  check_text("name", product.name)
  check_number("units_in_stock", product.units_in_stock, 0, 1000000000)
end

-- Files -------------------------------------------------------------------------------------

-- The objects of a file; `key` is the field that is unique.
local function read(path, what, key, check)
  local list, lines = {}, {}
  local file <close> = neap.fs.open(path)
  for value, number in neap.json.lines(file:lines(), { name = path }) do
    local ok, err = pcall(function()
      check_object("", value)
      check(value)
      local earlier = lines[value[key]]
      if earlier then wrong("%s %s stands in line %d, too", key, shown(value[key]), earlier) end
    end)
    if not ok and err.kind == "input" then wrong("%s:%d: %s", path, number, err.message) end
    if not ok then error(err, 0) end
    lines[value[key]] = number
    list[#list + 1] = value
  end
  if #list == 0 then wrong("%s: there are no %s in it", path, what) end
  return list
end

--- Read orders. Raises kind `input` for what is no order, `json` for what is no JSON, `io` if
--- the file cannot be read.
---@async
---@param path string
---@return Order[]
function orders.read(path)
  return read(path, "orders", "id", check_order)
end

--- Read products, with the same errors.
---@async
---@param path string
---@return Product[]
function orders.read_products(path)
  return read(path, "products", "sku", check_product)
end

return orders
