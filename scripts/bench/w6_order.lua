-- What does an order cost that makes three calls at once and awaits all three?
-- Floor: a bare coroutine that resumes three more in a loop until each has ended.

local neap = require("neap")
local bench = require("bench")

local CALLS = 3

-- What `count` orders come to: order `id` gives 3 * id + 1 + 2 + 3.
local function expected(count) return 3 * count * (count + 1) // 2 + 6 * count end

local function ours(count)
  local function call(id, part)
    neap.yield()
    return id + part
  end
  local function order(id)
    local s <close> = neap.scope()
    local a, b, c = s:spawn(call, id, 1), s:spawn(call, id, 2), s:spawn(call, id, 3)
    return a:await() + b:await() + c:await()
  end
  local sum = 0
  neap.scope(function(s)
    for id = 1, count do sum = sum + s:spawn(order, id):await() end
  end)
  bench.check(sum, expected(count))
end

local function floor(count)
  local create, resume, yield = bench.coroutine.create, bench.coroutine.resume, bench.coroutine.yield
  local function call(id, part)
    yield()
    return id + part
  end
  local function order(id)
    local calls = {}
    for part = 1, CALLS do
      calls[part] = create(call)
      resume(calls[part], id, part)
    end
    for part = 1, CALLS do
      local _, result = resume(calls[part])
      calls[part] = result
    end
    return calls[1] + calls[2] + calls[3]
  end
  local sum = 0
  for id = 1, count do
    local _, total = resume(create(order), id)
    sum = sum + total
  end
  bench.check(sum, expected(count))
end

bench.compare { name = "W6", n = bench.size(100000), round = 2000, ours = ours, floor = floor }
