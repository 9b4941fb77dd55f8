-- A task that waits for what others soon do keeps its C stack; else it yields. Nobody may
-- notice which it was.

local neap = require("neap")

-- Call fn() below so many C functions, each in a protected call.
local function below(depth, fn)
  if depth == 0 then return fn() end
  return select(2, assert(pcall(below, depth - 1, fn)))
end

describe("a task that waits", function()
  it("leaves others as many nested C calls as it has itself", function()
    local first, second = neap.channel(), neap.channel()
    neap.scope(function(s)
      local task = s:spawn(below, 150, function()
        for i = 1, 10 do second:send(first:recv() + i) end
        return "deep"
      end)
      below(150, function()
        for i = 1, 10 do
          first:send(i)
          assert.are.equal(2 * i, second:recv())
        end
      end)
      assert.are.equal("deep", task:await())
    end)
  end)

  it("nests its calls anew after each wait, however many turns or tasks there are", function()
    local depth, is_over = 0, false
    local function descend()
      depth = depth + 1
      neap.yield()
      return depth < 100 and below(20, descend) or depth
    end
    neap.scope(function(s)
      for _ = 1, 3 do
        s:spawn(function() while not is_over do neap.yield() end end)
      end
      assert.are.equal(100, descend())
      is_over = true
    end)
  end)

  it("goes on in its place in the order, also over the end of a turn #fifo", function()
    local order, expected = {}, {}
    neap.scope(function(s)
      for task = 1, 300 do
        s:spawn(function()
          for round = 1, 3 do
            order[#order + 1] = round * 1000 + task
            neap.yield()
          end
        end)
      end
    end)
    for round = 1, 3 do
      for task = 1, 300 do expected[#expected + 1] = round * 1000 + task end
    end
    assert.are.same(expected, order)
  end)

  it("raises the error of its call where it was called, whoever ran meanwhile", function()
    neap.scope(function(s)
      local closed = neap.channel()
      local failing = s:spawn({ guard = true }, function() error("meanwhile", 0) end)
      s:spawn(function() closed:close() end)
      local ok, err = pcall(closed.send, closed, 1)
      assert.is_false(ok)
      assert.are.equal("closed", err.kind)
      local ok_too, timeout = pcall(neap.timeout, "1s", function() neap.channel():recv() end)
      assert.is_false(ok_too)
      assert.are.equal("timeout", timeout.kind)
      assert.is_false((failing:outcome()))
    end)
  end)

  it("counts as waiting since its call, and as idle, however many turns go by", function()
    local function seen()
      local since, busy = {}, {}
      local function walk(entry)
        if entry.name == "waiter" then since[entry.id], busy[entry.id] = entry.since, entry.busy end
        for _, child in ipairs(entry.children) do walk(child) end
      end
      walk(neap.tasks())
      return since, busy
    end
    neap.scope(function(s)
      for _ = 1, 80 do
        s:spawn({ name = "waiter" }, function()
          neap.yield()
          neap.channel():recv()
        end)
      end
      for _ = 1, 5 do neap.yield() end
      local since, busy = seen()
      neap.scope(function(t)
        for _ = 1, 2 do
          t:spawn(function() for _ = 1, 10000 do neap.yield() end end)
        end
      end)
      local since_then, busy_then = seen()
      assert.are.same(busy, busy_then)
      -- Counted back from now by the machine's clock, while time stands here.
      for id, at in pairs(since_then) do assert.is_true(at <= since[id]) end
      assert.is_not_nil(next(since_then))
      s:cancel()
    end)
  end)
end)
