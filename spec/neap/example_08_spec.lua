local neap = require("neap")
local test = require("neap.test")
local example = require("spec.neap.example")

local STEPS = { "reserve", "charge", "ship" }
local UNDOS = { reserve = "release", charge = "refund", ship = "recall" }
local SECONDS = { reserve = 0.1, charge = 0.2, ship = 0.15, release = 0.05, refund = 0.1, recall = 0.05 }

local ITEM = { sku = 1, name = "Tea", unit_price_cents = 250, quantity = 2, discount_percent = 0 }
local ORDER = { id = "A", items = { ITEM }, total_cents = 500 }

-- The undos of the steps from number k down to the first one.
local function undos_from(k)
  local names = {}
  for i = k, 1, -1 do names[#names + 1] = UNDOS[STEPS[i]] end
  return names
end

local saga, shops, runs, orders
before_each(function()
  saga = example.load("08_order_saga")
  shops, runs, orders = require("shop"), require("run"), require("orders")
end)

-- A shop with ten units of tea, whose calls are noted.
local function open(faults)
  local shop = shops.new({ { sku = 1, name = "Tea", units_in_stock = 10 } }, { A = faults })
  local calls = {}
  for name in pairs(SECONDS) do
    local call = shop[name]
    shop[name] = function(...)
      calls[#calls + 1] = name
      return call(...)
    end
  end
  return shop, calls
end

local function place(shop, order)
  local result = runs.new({}, shop):begin(order or ORDER)
  saga.place(shop, order or ORDER, result)
  return result
end

local function outcomes(result)
  local list = {}
  for i, step in ipairs(result.steps) do list[i] = step.name .. " " .. step.outcome end
  return list
end

local function undone(result)
  local list = {}
  for i, undo in ipairs(result.undone) do list[i] = UNDOS[undo.name] end
  return list
end

describe("an order", function()
  it("is approved when its three steps are done", function()
    local shop, calls = open()
    local result = place(shop)
    assert.are.equal("APPROVED", result.status)
    assert.are.same(STEPS, calls)
    assert.are.same({ "reserve done", "charge done", "ship done" }, outcomes(result))
    assert.are.same({}, result.undone)
    assert.is_nil(result.error)
    assert.are.near(0.45, test.elapsed(), 1e-9)
    assert.are.same({}, shop:audit({ ORDER }))
  end)

  for k, name in ipairs(STEPS) do
    it(("that is rejected by step %d has the steps before it undone, in reverse, once"):format(k), function()
      local shop, calls = open({ [name] = { kind = "refused", left = 1 } })
      local result = place(shop)
      assert.are.equal("REJECTED", result.status)
      assert.are.equal("rejected", result.error.kind)
      assert.are.equal(({ "out_of_stock", "card_declined", "undeliverable" })[k], result.error.code)
      assert.are.same(undos_from(k - 1), undone(result))

      local expected, seconds, ends = { table.unpack(STEPS, 1, k) }, 0, {}
      table.move(undos_from(k - 1), 1, k - 1, k + 1, expected)
      for _, call in ipairs(expected) do seconds = seconds + SECONDS[call] end
      for i = 1, k do ends[i] = STEPS[i] .. (i < k and " done" or " failed") end
      assert.are.same(expected, calls)
      assert.are.same(ends, outcomes(result))
      assert.are.near(seconds, test.elapsed(), 1e-9)
      assert.are.same({}, shop:audit({}))
      assert.are.equal(10, shop.units[1])
    end)

    for _, kind in ipairs({ "down", "lost" }) do
      it(("whose step %d fails (%s) has that step undone, too, its outcome unknown"):format(k, kind), function()
        local shop, calls = open({ [name] = { kind = kind, left = math.huge } })
        local result = place(shop)
        assert.are.equal("COMPENSATED", result.status)
        assert.are.equal("error", result.error.kind)
        assert.are.equal(name .. (kind == "down" and ": service is down" or ": no answer"), result.error.message)
        assert.are.same(undos_from(k), undone(result))

        local expected = { table.unpack(STEPS, 1, k) }
        table.move({ name, name }, 1, 2, k + 1, expected) -- three attempts
        table.move(undos_from(k), 1, k, k + 3, expected)
        local ends = {}
        for i = 1, k do ends[i] = STEPS[i] .. (i < k and " done" or " unknown") end
        assert.are.same(expected, calls)
        assert.are.same(ends, outcomes(result))
        assert.are.same({}, shop:audit({}))
        assert.are.equal(10, shop.units[1])
      end)

      it(("whose step %d fails once (%s) is approved, and acts once"):format(k, kind), function()
        local shop, calls = open({ [name] = { kind = kind, left = 1 } })
        assert.are.equal("APPROVED", place(shop).status)
        assert.are.equal(4, #calls)
        assert.are.same({}, shop:audit({ ORDER }))
      end)
    end

    for _, moment in ipairs({ "before", "after" }) do
      it(("cancelled in step %d, %s the service acts, is undone"):format(k, moment), function()
        local shop = open()
        local result = runs.new({}, shop):begin(ORDER)
        local seconds = SECONDS[name] * (moment == "before" and 0.25 or 0.75)
        for i = 1, k - 1 do seconds = seconds + SECONDS[STEPS[i]] end

        local _, why = neap.timeout_or(seconds, saga.place, shop, ORDER, result)
        assert.are.equal("timeout", why)
        assert.are.equal("CANCELLED", result.status)
        assert.are.same(undos_from(k), undone(result))
        assert.are.equal(name .. " unknown", outcomes(result)[k])
        for _, call in ipairs(undos_from(k)) do seconds = seconds + SECONDS[call] end
        assert.are.near(seconds, test.elapsed(), 1e-9)
        assert.are.same({}, shop:audit({}))
        assert.are.equal(10, shop.units[1])
      end)
    end
  end

  it("has an undo that fails once tried again, and undone once", function()
    for _, kind in ipairs({ "down", "lost" }) do
      local shop, calls = open({ ship = { kind = "refused", left = 1 }, release = { kind = kind, left = 1 } })
      local result = place(shop)
      assert.are.same({ "reserve", "charge", "ship", "refund", "release", "release" }, calls)
      assert.are.same({ { name = "charge", attempts = 1 }, { name = "reserve", attempts = 2 } }, result.undone)
      assert.are.same({}, shop:audit({}))
      assert.are.equal(10, shop.units[1])
    end
  end)

  it("is rejected before any call when its total does not add up", function()
    local shop, calls = open()
    local result = place(shop, { id = "A", items = { ITEM }, total_cents = 499 })
    assert.are.equal("wrong_total", result.error.code)
    assert.are.same({}, calls)
    assert.are.same({}, result.steps)
  end)

  it("is rejected when it asks for more than there is, or for what is not sold", function()
    local function order(sku, quantity)
      local item = setmetatable({ sku = sku, quantity = quantity, unit_price_cents = 0 }, { __index = ITEM })
      return { id = "A", items = { item, ITEM }, total_cents = 500 }
    end
    local shop = open()
    assert.are.equal("out_of_stock", place(shop, order(1, 9)).error.code) -- nine, and two more
    assert.are.equal("unknown_product", place(shop, order(2, 1)).error.code)
    assert.are.equal("APPROVED", place(shop, order(1, 8)).status)
    assert.are.equal(0, shop.units[1])
  end)

  it("is not placed at all by a mistake in the saga", function()
    local shop = open()
    assert.has_error(function() place(shop, { id = "A", items = 1 }) end)
  end)
end)

describe("the price of an item", function()
  it("is rounded down to the cent, item by item", function()
    local item = { unit_price_cents = 645, quantity = 3, discount_percent = 15 } -- 1644.75
    assert.are.equal(1644, orders.price(item))
    assert.are.equal(3288, orders.total({ items = { item, item } }))
  end)
end)

describe("the books", function()
  it("tell of a charge that was not refunded", function()
    local shop = open({ ship = { kind = "refused", left = 1 } })
    function shop.refund() end
    place(shop)
    assert.are.same({ "order A: not approved, and still charged" }, shop:audit({}))
  end)

  it("tell of stock that was not released", function()
    local shop = open({ charge = { kind = "refused", left = 1 } })
    function shop.release() end
    place(shop)
    assert.are.same({ "order A: not approved, and still reserved",
      "product 1: 10 at the start, but 8 left and 0 in approved orders" }, shop:audit({}))
  end)

  it("tell of stock below zero", function()
    local shop = open()
    shop.units[1] = 1
    shop:move(ORDER, -1)
    assert.are.equal("product 1: its stock fell to -1", shop:audit({})[2])
  end)

  it("tell of an approved order that was charged twice, or not shipped", function()
    local shop = open()
    function shop.ship() end
    place(shop)
    shop:charge(ORDER, "another key")
    assert.are.same({ "order A: approved, and charged 2 times", "order A: approved, and shipped 0 times" },
      shop:audit({ ORDER }))
  end)
end)

describe("all orders of examples/orders.jsonl", function()
  local list, products
  before_each(function()
    list = orders.read("examples/orders.jsonl")
    products = orders.read_products("examples/products.jsonl")
  end)

  local function place_all(seed, limit)
    local run = runs.new(list, shops.new(products, shops.draw_faults(list, seed)))
    local ended = 0
    saga.place_all(run, limit, function() ended = ended + 1 end)
    assert.are.equal(#list, ended)
    assert.are.equal(0, run:counts().CANCELLED)
    assert.are.same({}, run.shop:audit(run:approved()))
    return run
  end

  it("are fifty, of products that are sold, and their totals add up", function()
    assert.are.equal(50, #list)
    local sold = {}
    for _, product in ipairs(products) do sold[product.sku] = product end
    for _, order in ipairs(list) do
      assert.are.equal(orders.total(order), order.total_cents)
      for _, item in ipairs(order.items) do
        assert.are.equal(sold[item.sku].unit_price_cents, item.unit_price_cents)
      end
    end
  end)

  it("end in books that balance, whatever fails and in whatever order tasks run", function()
    test.schedules(20, function()
      place_all(test.seed or math.random(1000000), math.random(1, 50))
    end)
  end)

  it("are placed so many at once", function()
    local run = place_all(13, 8)
    local elapsed = test.elapsed()
    assert.is_true(elapsed < 50 * 0.45 / 8 + 1, elapsed)
    local again = place_all(13, 1)
    assert.are.same(run:counts(), again:counts())
    assert.is_true(test.elapsed() - elapsed > 5 * elapsed)
  end)

  it("give a table that adds up", function()
    local run = place_all(13, 8)
    local number, sum = {}, {}
    for line in run:report(8, 13):gmatch("[^\n]+") do
      local label, first, rest = line:match("^%s*(%a+)%s+(%d+)%s*(.*)$")
      number[label], sum[label] = tonumber(first), 0
      for n in rest:gmatch("%f[%d](%d+) ") do sum[label] = sum[label] + tonumber(n) end
    end
    assert.are.equal(50, number.orders)
    assert.are.equal(50, number.approved + number.rejected + number.compensated)
    for _, label in ipairs({ "rejected", "compensated", "units", "charges", "parcels", "undos" }) do
      assert.are.equal(number[label], sum[label], label)
    end
    assert.is_true(number.rejected > 0 and number.compensated > 0 and number.undos > 0)
  end)

  it("say how many were under way when the run was cancelled, and those are undone", function()
    local run = runs.new(list, shops.new(products, {}))
    neap.timeout_or("1s", saga.place_all, run, 8, function() end)
    assert.are.equal(8, run:counts().CANCELLED)
    assert.are.same({}, run.shop:audit(run:approved()))
    local report = run:report(8, 13)
    assert.is_truthy(report:find("\n  cancelled +8   and undone\n"))
    assert.is_truthy(report:find(("\n  not begun +%d\n"):format(50 - #run.results)))
  end)
end)

describe("a file of orders", function()
  local GOOD = '{"id":"A","customer":"C","ship_to":{"name":"N","address":"S","city":"B","country":"D"},"items":'
    .. '[{"sku":1,"name":"Tea","unit_price_cents":250,"quantity":2,"discount_percent":0}],"total_cents":500}'

  -- What reading the text says, with "FILE" for its name.
  local function problem_of(text)
    local dir <close> = neap.fs.temp_dir()
    local path = dir.path .. "/orders.jsonl"
    neap.fs.write(path, text)
    local ok, err = pcall(orders.read, path)
    assert.is_false(ok)
    assert.is_true(err.kind == "input" or err.kind == "json")
    return err.message:sub(1, #path) == path and "FILE" .. err.message:sub(#path + 1) or err.message
  end
  local function changed(from, to)
    local text, count = GOOD:gsub(from, to)
    assert.are.equal(1, count)
    return GOOD:gsub('"A"', '"B"') .. "\n" .. text
  end

  it("is refused with the number of the line that is wrong", function()
    for _, case in ipairs({
      { "", "FILE: there are no orders in it" },
      { GOOD .. "\noops", "FILE:2: column 4: invalid token near 'oops'" },
      { GOOD .. "\n[1]", "FILE:2: an object expected, got [1]" },
      { GOOD .. "\n\n" .. GOOD, 'FILE:3: id "A" stands in line 1, too' },
      { changed('"items":%[.-%]', '"items":[]'), "FILE:2: items: a list of at least one expected, got []" },
      { changed('"items":%[.-%]', '"items":{}'), "FILE:2: items: a list of at least one expected, got {}" },
      { changed('"items":%[.-%]', '"items":[7]'), "FILE:2: items[1]: an object expected, got 7" },
      { changed('"id":"A",', ""), "FILE:2: id: a text expected, got nothing" },
      { changed('"ship_to":{.-}', '"ship_to":null'), "FILE:2: ship_to: an object expected, got null" },
      { changed('"city":"B"', '"city":""'), 'FILE:2: ship_to.city: a text expected, got ""' },
      { changed('"quantity":2', '"quantity":"2"'),
        'FILE:2: items[1].quantity: a whole number from 1 to 1000000 expected, got "2"' },
      { changed('"quantity":2', '"quantity":2.5'),
        "FILE:2: items[1].quantity: a whole number from 1 to 1000000 expected, got 2.5" },
      { changed('"discount_percent":0', '"discount_percent":101'),
        "FILE:2: items[1].discount_percent: a whole number from 0 to 100 expected, got 101" },
    }) do
      assert.are.equal(case[2], problem_of(case[1]))
    end
  end)

  it("shows the beginning of a long value only", function()
    local message = problem_of(changed('"items":%[', '"items":["' .. ("é"):rep(100) .. '",'))
    assert.are.equal('FILE:2: items[1]: an object expected, got "' .. ("é"):rep(17) .. "...", message)
  end)
end)
