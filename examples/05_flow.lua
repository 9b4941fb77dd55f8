--- A stream of orders, checked one by one, while the next ones are fetched already.
--- An error ends a flow. So that a slow order fails alone, each is a small flow of its own, and
--- `catch` gives its result. Nothing runs before the flow is collected.

local neap = require("neap")

-- Calls `fetched(n)` after each order that it was able to hand on.
local function fetch(count, fetched)
  return neap.flow(function(emit)
    for n = 1, count do
      emit({ id = ("A-%d"):format(n), seconds = n == 3 and 60 or 0.1 })
      if fetched then fetched(n) end
    end
  end)
end

local function check(order)
  neap.sleep(order.seconds)
  return { id = order.id, status = "OK" }
end

local function results(orders, limit)
  return orders:buffer(100):flat_map(function(order)
    return neap.flow.from({ order })
      :map(function(one) return neap.timeout(limit, check, one) end)
      :catch(function(err, emit) emit({ id = order.id, status = "ERROR", reason = err.kind }) end)
  end)
end

neap.main(function(limit)
  results(fetch(5), limit or "5s"):collect(function(result)
    local why = result.reason and ": " .. result.reason or ""
    print(("%s  %s%s"):format(result.id, result.status, why))
  end)
end)

return { fetch = fetch, results = results }
