--- An order saga: reserve, charge, ship. If a step fails, what was done before is undone.
---
---     neap run examples/08_order_saga.lua --input examples/orders.jsonl
---
--- takes every order of a file through it, with services that fail now and then, and checks at
--- the end that nothing was lost: no unit of stock, no charge, no parcel.

local neap = require("neap")
local orders = require("orders")
local runs = require("run")
local shops = require("shop")

-- Of each step. An undo is tried until it succeeds.
local RETRIES = {
  retry = { attempts = 3, base = "50ms" },
  undo_retry = { base = "50ms", max = "5s" },
}

-- The saga. Each call is given a key, the same for every attempt, so that a service can tell
-- a repeated call from a second one. An undo says by `step_key` which call it means: after an
-- error nobody knows whether that took place, and the service does.
local function fulfil(shop, order, step)
  if orders.total(order) ~= order.total_cents then neap.reject("wrong_total") end

  step("reserve", {
    run = function(cx) shop:reserve(order, cx.key) end,
    undo = function(cx) shop:release(order, cx.step_key) end,
  })
  step("charge", {
    run = function(cx) shop:charge(order, cx.key) end,
    undo = function(cx) shop:refund(order, cx.step_key) end,
  })
  step("ship", {
    run = function(cx) shop:ship(order, cx.key) end,
    undo = function(cx) shop:recall(order, cx.step_key) end,
  })
end

-- `neap.step`, noting in `result` how each step ended, and what was undone.
local function noting(result)
  return function(name, opts)
    local noted = { name = name, outcome = "failed" }
    result.steps[#result.steps + 1] = noted
    local undo = opts.undo
    function opts.undo(cx, value, outcome)
      noted.outcome = outcome
      undo(cx, value, outcome)
      result.undone[#result.undone + 1] = { name = name, attempts = cx.attempt }
    end
    neap.step(name, opts)
    noted.outcome = "done"
  end
end

-- Take one order through the saga, and say in `result` what became of it. REJECTED: a service
-- said no. COMPENSATED: a service failed, and whatever may have happened is undone.
local function place(shop, order, result)
  local ok, err = neap.try(neap.saga, RETRIES, fulfil, shop, order, noting(result))
  if ok then
    result.status = "APPROVED"
  elseif type(err) == "table" then
    result.error = err
    result.status = err.kind == "rejected" and "REJECTED" or "COMPENSATED"
  else
    error(err, 0) -- a mistake in this file
  end
end

-- Place the orders of a run, so many at once.
local function place_all(run, limit, on_end)
  neap.map(run.orders, function(order)
    place(run.shop, order, run:begin(order))
    on_end(run)
  end, { limit = limit })
end

-- The program ---------------------------------------------------------------------------------

-- A line that is written again and again, on a terminal only.
local function new_progress(total)
  if not neap.is_tty(1) then
    return { show = function() end, clear = function() end }
  end
  return {
    show = function(run)
      local counts = run:counts()
      local ended = #run.results - counts.CANCELLED
      io.write(("\r%d of %d orders: %d approved, %d rejected, %d compensated\27[K"):format(ended, total,
        counts.APPROVED, counts.REJECTED, counts.COMPENSATED)):flush()
    end,
    clear = function() io.write("\r\27[K") end,
  }
end

local function complain(message)
  io.stderr:write("08_order_saga: ", message, "\n")
end

local INPUT_ERRORS = { input = true, json = true, io = true, limit = true }

local function read(reader, path)
  local ok, list = neap.try(reader, path)
  if ok then return list end
  if not INPUT_ERRORS[list.kind] then error(list, 0) end
  complain(list.message)
  return neap.exit(2)
end

local function main()
  local folder = arg[0]:match("^.*/") or ""
  local a = neap.args({
    usage = "Take orders through a saga: reserve, charge, ship; and undo what has to be undone.",
    input = { default = folder .. "orders.jsonl", value = "FILE", help = "orders, one JSON object a line" },
    stock = { default = folder .. "products.jsonl", value = "FILE", help = "products and their stock, the same" },
    limit = { type = "integer", default = 8, min = 1, help = "so many orders at once" },
    seed = { type = "integer", default = 13, help = "decides which calls fail" },
  })
  local list = read(orders.read, a.input)
  local products = read(orders.read_products, a.stock)

  local run = runs.new(list, shops.new(products, shops.draw_faults(list, a.seed)))
  local progress = new_progress(#list)
  local problems
  do
    -- Also after Ctrl-C: by then the orders that were under way are undone.
    local _ <close> = neap.defer(function()
      progress.clear()
      print(run:report(a.limit, a.seed))
      problems = run.shop:audit(run:approved())
      if #problems == 0 then print("\nThe books balance.") end
    end)
    place_all(run, a.limit, progress.show)
  end
  if #problems > 0 then
    complain("the books do not balance:\n  " .. table.concat(problems, "\n  "))
    neap.exit(1)
  end
end

neap.main(main)

return { fulfil = fulfil, place = place, place_all = place_all }
