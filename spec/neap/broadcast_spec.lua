local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local drain, failure, start = support.drain, support.raised, support.start

describe("neap.broadcast", function()
  it("tells every subscriber what is published from then on", function()
    local hub = neap.broadcast()
    hub:publish("nobody hears")
    local a = hub:subscribe()
    hub:publish(1)
    local b = hub:subscribe()
    hub:publish(2)
    assert.are.same({ 1, 2 }, drain(a))
    assert.are.same({ 2 }, drain(b))
  end)

  it("sends several values together", function()
    local hub = neap.broadcast { replay = 1 }
    hub:publish(1, nil, 3)
    local a = hub:subscribe()
    hub:publish("a", nil)
    assert.are.same({ n = 3, 1, nil, 3 }, table.pack(a:recv()))
    assert.are.same({ n = 2, "a" }, table.pack(a:recv()))
  end)

  it("replays the last values to a new subscriber", function()
    local hub = neap.broadcast { replay = 2 }
    for i = 1, 5 do hub:publish(i) end
    local a = hub:subscribe()
    hub:publish(6)
    assert.are.same({ 4, 5, 6 }, drain(a))
  end)

  it("waits for the slowest subscriber when one is full", function()
    local hub = neap.broadcast { capacity = 1 }
    local slow, fast = hub:subscribe(), hub:subscribe()
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("5s")
        assert.are.equal(1, (slow:recv()))
      end)
      hub:publish(1)
      assert.are.equal(1, (fast:recv()))
      hub:publish(2)
      assert.are.equal(5, test.elapsed())
      assert.are.same({ 2 }, drain(fast))
      assert.are.same({ 2 }, drain(slow))
    end)
  end)

  it("drops per subscriber if it shall", function()
    local hub = neap.broadcast { capacity = 2, on_full = "drop_oldest" }
    local slow, fast = hub:subscribe(), hub:subscribe()
    local got = {}
    for i = 1, 4 do
      hub:publish(i)
      got[i] = fast:recv()
    end
    assert.are.same({ 1, 2, 3, 4 }, got)
    assert.are.same({ 3, 4 }, drain(slow))
  end)

  it("gives all subscribers one order, that of the publishers", function()
    local hub = neap.broadcast { capacity = 1 }
    local a, b = hub:subscribe(), hub:subscribe()
    neap.scope(function(s)
      for i = 1, 4 do start(s, hub.publish, hub, i) end
      local from_a, from_b = {}, {}
      for i = 1, 4 do
        from_b[i] = b:recv_within("1s")
        from_a[i] = a:recv_within("1s")
      end
      assert.are.same({ 1, 2, 3, 4 }, from_a)
      assert.are.same({ 1, 2, 3, 4 }, from_b)
    end)
  end)

  it("cancelled while it waits for room, has told nobody", function()
    local hub = neap.broadcast { capacity = 1 }
    local empty, full = hub:subscribe(), hub:subscribe()
    hub:publish(1)
    empty:recv()
    neap.scope(function(s)
      local publisher = start(s, hub.publish, hub, 2)
      assert.are.equal("waiting", publisher:status())
      local next_one = start(s, hub.publish, hub, 3)
      publisher:cancel()
      assert.are.same({ 1 }, drain(full))
      next_one:await()
    end)
    assert.are.same({ 3 }, drain(empty))
    assert.are.same({ 3 }, drain(full))
  end)

  it("cancelled after there was room, has told all", function()
    local hub = neap.broadcast { capacity = 1 }
    local fast, slow = hub:subscribe(), hub:subscribe()
    hub:publish(1)
    fast:recv()
    neap.scope(function(s)
      local publisher = start(s, hub.publish, hub, 2)
      assert.are.equal(1, (slow:recv()))
      publisher:cancel()
    end)
    assert.are.same({ 2 }, drain(fast))
    assert.are.same({ 2 }, drain(slow))
  end)

  it("keeps what a cancelled subscriber waited for, unless it was told before", function()
    local hub = neap.broadcast()
    local sub, got = hub:subscribe(), nil
    neap.scope(function(s)
      start(s, sub.recv, sub):cancel()
      test.run_until_idle()
      local told = start(s, function() got = sub:recv() end)
      hub:publish("first")
      told:cancel()
      hub:publish("second")
    end)
    assert.are.equal("first", got)
    assert.are.same({ "second" }, drain(sub))
  end)

  it("reaches one who subscribes while it waits", function()
    local hub = neap.broadcast { capacity = 1, replay = 1 }
    local slow = hub:subscribe()
    hub:publish(1)
    neap.scope(function(s)
      local publisher = start(s, hub.publish, hub, 2)
      local late = hub:subscribe() -- full by the replay
      assert.are.equal(1, (slow:recv()))
      test.run_until_idle()
      assert.are.equal("waiting", publisher:status())
      assert.are.equal(1, (late:recv()))
      publisher:await()
      assert.are.same({ 2 }, drain(late))
      assert.are.same({ 2 }, drain(slow))
    end)
  end)

  it("does not wait for a subscriber that leaves", function()
    local hub = neap.broadcast { capacity = 1 }
    local leaving, staying = hub:subscribe(), hub:subscribe()
    hub:publish(1)
    neap.scope(function(s)
      local publisher = start(s, hub.publish, hub, 2)
      staying:recv()
      leaving:close()
      publisher:await()
      assert.are.same({ 2 }, drain(staying))
    end)
  end)

  it("reaches all the others if some leave and come while it waits", function()
    local hub = neap.broadcast { capacity = 1 }
    local leaving, first, second = hub:subscribe(), hub:subscribe(), hub:subscribe()
    hub:publish(1)
    neap.scope(function(s)
      leaving:recv()
      local publisher = start(s, hub.publish, hub, 2) -- waits for the first
      leaving:close()
      local late
      for _ = 1, 40 do late = hub:subscribe() end
      first:recv()
      test.run_until_idle()
      assert.are.equal("waiting", publisher:status())
      second:recv()
      publisher:await()
      for _, subscriber in ipairs { first, second, late } do
        assert.are.same({ 2 }, drain(subscriber))
      end
    end)
  end)

  it("forgets subscribers that have left", function()
    local function kilobytes()
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    local hub, before = neap.broadcast(), kilobytes()
    for _ = 1, 1000 do hub:subscribe():close() end
    assert.is_true(kilobytes() - before < 100)
    local subscribers = {}
    for i = 1, 1000 do subscribers[i] = hub:subscribe() end
    for _, subscriber in ipairs(subscribers) do subscriber:close() end
    subscribers = nil -- luacheck: ignore
    hub:publish(1)
    assert.is_true(kilobytes() - before < 100)
  end)

  it("closing lets subscribers drain, then ends them", function()
    local hub = neap.broadcast { replay = 1 }
    local a = hub:subscribe()
    hub:publish(1)
    hub:close()
    hub:close("too late")
    local got = {}
    for v in a do got[#got + 1] = v end
    assert.are.same({ 1 }, got)
    assert.are.same({ n = 2, nil, "closed" }, table.pack(a:recv()))
    assert.are.same({ 1 }, drain(hub:subscribe()))
    assert.are.equal("closed", failure(hub.publish, hub, 2).kind)
  end)

  it("closing with a cause raises it at subscribers and publishers", function()
    local hub = neap.broadcast { capacity = 1 }
    local a = hub:subscribe()
    hub:publish(1)
    neap.scope(function(s)
      local publisher = start(s, hub.publish, hub, 2)
      hub:close("broken")
      local _, err = publisher:outcome()
      assert.are.equal("closed", err.kind)
      assert.are.equal("broken", err.cause)
    end)
    assert.are.equal(1, (a:recv()))
    assert.are.equal("broken", failure(a.recv, a))
    local late = hub:subscribe()
    assert.are.equal("broken", failure(late.recv, late))
  end)

  it("is an arm of a select by its subscribers", function()
    local hub = neap.broadcast()
    local a = hub:subscribe()
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("1s")
        hub:publish("v")
      end)
      assert.are.same({ 1, "v" }, { neap.select { a:on_recv(), neap.after("2s") } })
    end)
  end)

  it("refuses more values than a subscriber can be sent at once, whether there is one or not", function()
    local hub, many = neap.broadcast { replay = 1 }, {}
    for i = 1, 256 do many[i] = i end
    local function publish(last) return hub:publish(table.unpack(many, 1, last)) end
    local err = failure(publish, 256)
    assert.are.equal("usage", err.kind)
    assert.matches("broadcast:publish: 256 values; at most 255", err.message, 1, true)
    publish(255)
    local first = hub:subscribe()
    assert.are.equal("usage", failure(publish, 256).kind)
    assert.are.same({ 255, 255 }, { select("#", first:recv()), select("#", hub:subscribe():recv()) })
  end)

  it("raises usage for what makes no sense", function()
    local hub = neap.broadcast()
    assert.are.equal("usage", failure(hub.publish, hub, nil).kind)
    assert.are.equal("usage", failure(neap.broadcast, { capacity = 0 }).kind)
    assert.are.equal("usage", failure(neap.broadcast, { replay = -1 }).kind)
    assert.are.equal("usage", failure(neap.broadcast, { replay = 65 }).kind)
    assert.are.equal("usage", failure(neap.broadcast, { on_full = "block" }).kind)
    assert.are.equal("usage", failure(neap.broadcast, { capasity = 1 }).kind)
  end)
end)
