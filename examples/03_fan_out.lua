--- Three services look at an order at once: the answer takes as long as the slowest.
--- If one of them fails, the others are cancelled, and its error is the caller's.

local neap = require("neap")

local services = {}

function services.payment(order)
  neap.sleep("100ms")
  if not order.card then error("payment: no card", 0) end
  return order.total_cents <= order.card.limit_cents
end

function services.inventory(order)
  neap.sleep("200ms")
  return order.quantity <= 10
end

function services.shipping(order)
  neap.sleep("150ms")
  return 490 + 20 * order.quantity
end

-- "APPROVED" and the cost of shipping, or "REJECTED".
local function process(order)
  local s <close> = neap.scope()
  local paid = s:spawn(services.payment, order)
  local in_stock = s:spawn(services.inventory, order)
  local cost = s:spawn(services.shipping, order)

  if paid:await() and in_stock:await() then return "APPROVED", cost:await() end
  return "REJECTED"
end

neap.main(function()
  local card = { limit_cents = 50000 }
  for _, order in ipairs({
    { id = "A-1", total_cents = 12900, quantity = 3, card = card },
    { id = "A-2", total_cents = 12900, quantity = 30, card = card },
    { id = "A-3", total_cents = 12900, quantity = 3 },
  }) do
    local began = neap.monotonic()
    local ok, status = neap.try(process, order)
    print(("%s  %-23s %3.0f ms"):format(order.id, ok and status or "error: " .. status,
      (neap.monotonic() - began) * 1000))
  end
end)

return { process = process, services = services }
