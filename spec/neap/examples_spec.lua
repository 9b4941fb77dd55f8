local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")
local example = require("spec.neap.example")

local failure = support.raised

describe("examples/01_hello.lua", function()
  it("prints two words, and waits between them", function()
    local _, script = example.load("01_hello")
    assert.are.same({ "hello", "world" }, script.printed)
    assert.are.equal(0.1, test.elapsed())
  end)
end)

describe("examples/02_interleave.lua", function()
  it("prints in turn with a yield between", function()
    if test.seed then return end -- the seed decides whose turn it is
    local interleave, script = example.load("02_interleave")
    interleave.interleave(neap.yield)
    assert.are.equal("after spawning 1 2 3 4 5 6", table.concat(script.printed, " "))
    assert.are.equal(0, test.elapsed())
  end)

  it("lets the first one run ahead of one that sleeps", function()
    if test.seed then return end -- the seed decides whose turn it is
    local interleave, script = example.load("02_interleave")
    interleave.interleave(neap.sleep, "1s")
    assert.are.equal("after spawning 1 2 3 5 4 6", table.concat(script.printed, " "))
    assert.are.equal(2, test.elapsed())
  end)
end)

describe("examples/03_fan_out.lua", function()
  local GOOD = { total_cents = 100, quantity = 1, card = { limit_cents = 100 } }
  local function order(changes) return setmetatable(changes, { __index = GOOD }) end

  it("approves what is paid and in stock, in the time of the slowest service", function()
    local process = example.load("03_fan_out").process
    assert.are.same({ "APPROVED", 510 }, { process(order({})) })
    assert.are.equal(0.2, test.elapsed())
  end)

  it("rejects what is not paid, or not in stock", function()
    local process = example.load("03_fan_out").process
    assert.are.same({ "REJECTED" }, { process(order({ total_cents = 101 })) })
    assert.are.equal(0.2, test.elapsed())
    assert.are.same({ "REJECTED" }, { process(order({ quantity = 11 })) })
    assert.are.equal(0.4, test.elapsed())
  end)

  it("cancels the others when payment fails, and raises its error", function()
    local fan_out = example.load("03_fan_out")
    local cancelled_at = {}
    for _, name in ipairs({ "inventory", "shipping" }) do
      local call = fan_out.services[name]
      fan_out.services[name] = function(...)
        local _ <close> = neap.defer(function() cancelled_at[name] = test.elapsed() end)
        return call(...)
      end
    end
    assert.are.equal("payment: no card", failure(fan_out.process, order({ card = false })))
    assert.are.same({ inventory = 0.1, shipping = 0.1 }, cancelled_at)
    assert.are.equal(0.1, test.elapsed())
  end)
end)

describe("examples/04_pipeline.lua", function()
  local pipeline
  before_each(function() pipeline = example.load("04_pipeline") end)

  it("gives every order once, in the order in which they are done", function()
    local orders, parcels, seen = neap.channel(), neap.channel(), {}
    neap.scope(function(s)
      s:spawn(pipeline.produce, { { id = 1, seconds = 0.3 }, { id = 2, seconds = 0.1 } }, orders)
      s:spawn(pipeline.stage, orders, pipeline.pack, parcels)
      for parcel in parcels do seen[#seen + 1] = parcel end
    end)
    assert.are.same({ "2 packed after 0.1 s", "1 packed after 0.3 s" }, seen)
    assert.are.equal(0.3, test.elapsed()) -- side by side
  end)

  it("drains and ends every stage when the source is closed", function()
    local first, second, third = neap.channel(), neap.channel(), neap.channel()
    local list, seen = {}, {}
    for n = 1, 50 do list[n] = n end
    local function slowly(n)
      neap.sleep(n % 7 * 0.01)
      return n
    end

    neap.scope(function(s)
      local stages = {
        s:spawn(pipeline.stage, first, slowly, second),
        s:spawn(pipeline.stage, second, slowly, third),
      }
      s:spawn(pipeline.produce, list, first)
      for n in third do seen[#seen + 1] = n end
      for _, stage in ipairs(stages) do assert.are.equal("done", stage:status()) end
    end)
    table.sort(seen)
    assert.are.same(list, seen)
    assert.is_true(first:is_closed() and second:is_closed() and third:is_closed())
  end)

  it("ends every stage by the error of one order", function()
    local orders, parcels = neap.channel(), neap.channel()
    assert.has_error(function()
      neap.scope(function(s)
        s:spawn(pipeline.produce, { 1, 2, 3 }, orders)
        s:spawn(pipeline.stage, orders, function() error("torn", 0) end, parcels)
        parcels:recv()
      end)
    end, "torn")
  end)
end)

describe("examples/05_flow.lua", function()
  local stream
  before_each(function() stream = example.load("05_flow") end)

  it("fetches at most 101 orders more than have been checked", function()
    local fetched, checked, ahead = 0, 0, 0
    local orders = stream.fetch(250, function(n)
      fetched = n
      ahead = math.max(ahead, fetched - checked)
    end)
    stream.results(orders, "5s"):collect(function() checked = checked + 1 end)
    assert.are.equal(250, fetched)
    assert.are.equal(250, checked)
    assert.are.equal(101, ahead)
  end)

  it("gives an ERROR result for a slow order, and goes on with the next", function()
    assert.are.same({
      { id = "A-1", status = "OK" },
      { id = "A-2", status = "OK" },
      { id = "A-3", status = "ERROR", reason = "timeout" },
      { id = "A-4", status = "OK" },
    }, stream.results(stream.fetch(4), "5s"):to_list())
    assert.are.near(3 * 0.1 + 5, test.elapsed(), 1e-9)
  end)

  it("runs when it is collected, and each time anew", function()
    local fetched = 0
    local flow = stream.results(stream.fetch(2, function() fetched = fetched + 1 end), "5s")
    assert.are.equal(0, fetched)
    assert.are.same(flow:to_list(), flow:to_list())
    assert.are.equal(4, fetched)
    assert.are.equal(0.4, test.elapsed())
  end)
end)

describe("examples/06_consumers.lua", function()
  local run, handle
  local list = {}
  for n = 1, 100 do list[n] = n end
  before_each(function()
    local consumers = example.load("06_consumers")
    run, handle = consumers.run, consumers.handle
  end)

  it("handles every order exactly once, also beside a consumer that hits errors", function()
    local orders, failed, by = {}, 0, {}
    for _, result in ipairs(run(list, 10, handle)) do
      orders[#orders + 1] = result.order
      by[result.consumer] = (by[result.consumer] or 0) + 1
      assert.are.equal(result.consumer == 7, result.err ~= nil)
      if result.err then
        failed = failed + 1
        assert.are.equal(("order %d: consumer 7 has no printer"):format(result.order), result.err)
      end
    end
    table.sort(orders)
    assert.are.same(list, orders)
    assert.are.equal(10, failed) -- the one that fails goes on, too
    assert.are.same({ 10, 10, 10, 10, 10, 10, 10, 10, 10, 10 }, by)
  end)

  it("has ten times the throughput of one consumer", function()
    run(list, 10, handle)
    assert.are.equal(0.5, test.elapsed())
    run(list, 1, handle)
    assert.are.equal(0.5 + 5, test.elapsed())
  end)
end)

describe("examples/07_create_order.lua", function()
  local ORDER = { buyer = "Ada", city = "Bergen", total_cents = 5600 }
  local shop, create_order
  before_each(function()
    shop = example.load("07_create_order")
    create_order = shop.create_order
  end)

  it("takes as long as the longer branch, and gives the order of the sequential version", function()
    assert.are.same(ORDER, create_order(shop.services, "ada", { "lamp", "rope" }))
    assert.are.equal(0.4, test.elapsed()) -- 100, the longer of 200 and 100 + 150, 50
    assert.are.same(ORDER, create_order(shop.services, "ada", { "lamp", "rope" }, shop.in_turn))
    assert.are.equal(0.4 + 0.6, test.elapsed())
  end)

  it("gives the same order by the same calls as callbacks", function()
    assert.are.same(ORDER, create_order(shop.bridged, "ada", { "lamp", "rope" }))
    assert.are.equal(0.4, test.elapsed())
  end)

  it("fails with three different errors, as soon as it is known", function()
    local err = failure(create_order, shop.services, "cy", { "lamp" })
    assert.are.same({ "no_such_buyer", 'there is no buyer "cy"' }, { err.kind, err.message })
    assert.are.equal(0.1, test.elapsed())

    err = failure(create_order, shop.services, "ada", { "anchor", "sail" })
    assert.are.same({ "no_products", "none of these is sold: anchor, sail" }, { err.kind, err.message })
    assert.are.near(0.3, test.elapsed(), 1e-9) -- the address is not waited for

    err = failure(create_order, shop.services, "bo", { "rope" })
    assert.are.same({ "bad_region", "Rope is sold in the north, not in Porto" }, { err.kind, err.message })
    assert.are.near(0.65, test.elapsed(), 1e-9)
  end)

  it("raises the error that a callback is given", function()
    local find = shop.bridge(function(_, done) done("no connection") end)
    assert.are.equal("no connection", failure(find, "ada"))
  end)

  it("calls off the callback when its caller is cancelled", function()
    local called_off_at
    local find = shop.bridge(function()
      return function() called_off_at = test.elapsed() end
    end)
    assert.are.same({ nil, "timeout" }, { neap.timeout_or("50ms", find, "ada") })
    assert.are.equal(0.05, called_off_at)
  end)
end)

describe("examples/09_scope_quiz.lua", function()
  local quiz
  before_each(function() quiz = example.load("09_scope_quiz") end)

  it("fails the scope with the child's error when the protected call is inside", function()
    assert.are.equal("out of stock", failure(quiz.await_protected))
    assert.are.equal(0.1, test.elapsed())
  end)

  it("says in the cancellation that await raises what to do", function()
    assert.are.equal("the scope has failed, and its error is raised where the scope is left; to handle the "
      .. "failure of one task alone, spawn it with { guard = true } and use task:outcome(), or put pcall "
      .. "around the scope", quiz.hint())
  end)

  it("gives the default value when the protected call is around the scope", function()
    assert.are.equal("default", quiz.scope_protected())
  end)

  it("gives the default value of a guarded task, and nothing fails", function()
    assert.are.equal("default", quiz.task_guarded())
  end)
end)
