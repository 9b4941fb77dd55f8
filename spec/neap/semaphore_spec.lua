local neap = require("neap")
local test = require("neap.test")

-- Whether `n` slots are free.
local function is_free(gate, n)
  local permit <close>, reason = gate:try_acquire(n)
  assert.are.equal(permit == nil and "locked" or nil, reason)
  return permit ~= nil
end

describe("neap.semaphore", function()
  it("never lets more than `slots` run at once", function()
    local gate, running, peak = neap.semaphore(2), 0, 0

    neap.scope(function(s)
      for _ = 1, 5 do
        s:spawn(gate.run, gate, function()
          running = running + 1
          peak = math.max(peak, running)
          neap.sleep("10ms")
          running = running - 1
        end)
      end
    end)

    assert.are.equal(2, peak)
    assert.are.equal(0.030, test.elapsed()) -- five runs, two abreast
  end)

  it("returns what the body returns", function()
    local gate = neap.semaphore(1)
    assert.are.same({ n = 3, 1, nil, 3 }, table.pack(gate:run(function(...) return ... end, 1, nil, 3)))
  end)

  it("gives the slot back when the body raises", function()
    local gate = neap.semaphore(1)
    assert.has_error(function() gate:run(error, "boom", 0) end, "boom")
    assert.are.equal("free", gate:run(function() return "free" end))
  end)

  it("gives several slots at once, and all back", function()
    local gate = neap.semaphore(3)
    local permit = gate:acquire(3)
    assert.is_false(is_free(gate))
    permit:release()
    assert.is_true(is_free(gate, 3))
  end)

  it("serves in the order of asking: a small wish does not overtake a large one", function()
    local gate, order = neap.semaphore(3), {}
    neap.scope(function(s)
      local one, two = gate:acquire(), gate:acquire(2)
      local function enter(n)
        local _ <close> = gate:acquire(n)
        order[#order + 1] = n
      end
      s:spawn(enter, 3)
      test.run_until_idle()
      s:spawn(enter, 1)
      test.run_until_idle()
      two:release()
      test.run_until_idle()
      assert.are.same({}, order)
      assert.is_false(is_free(gate, 1))
      one:release()
    end)
    assert.are.same({ 3, 1 }, order)
  end)

  it("hands a released slot over before anyone else can take it", function()
    local gate = neap.semaphore(1)
    neap.scope(function(s)
      local permit = gate:acquire()
      local waiter = s:spawn(function()
        local _ <close> = gate:acquire()
        return "mine"
      end)
      test.run_until_idle()
      permit:release()
      assert.is_false(is_free(gate))
      assert.are.equal("mine", waiter:await())
    end)
  end)

  it("forgets a waiter that was cancelled, and serves those behind it", function()
    local gate = neap.semaphore(2)
    neap.scope(function(s)
      local permit = gate:acquire(1)
      local large = s:spawn(function() local _ <close> = gate:acquire(2) end)
      test.run_until_idle()
      local small = s:spawn(function()
        local _ <close> = gate:acquire(1)
        return "served"
      end)
      test.run_until_idle()
      large:cancel()
      assert.are.equal("served", small:await())
      permit:release()
    end)
    assert.is_true(is_free(gate, 2))
  end)

  it("keeps a slot that was handed over before the cancellation", function()
    local gate, got = neap.semaphore(1), false
    neap.scope(function(s)
      local permit = gate:acquire()
      local waiter = s:spawn(function()
        local _ <close> = gate:acquire()
        got = true
        neap.sleep("1h")
      end)
      test.run_until_idle()
      permit:release()
      waiter:cancel()
      waiter:join()
      assert.are.equal("cancelled", waiter:status())
    end)
    assert.is_true(got)
    assert.are.equal(0, test.elapsed())
    assert.is_true(is_free(gate))
  end)

  it("ends a wait at the deadline", function()
    local gate = neap.semaphore(1)
    local _ <close> = gate:acquire()
    assert.are.same({ nil, "timeout" }, { neap.timeout_or("20ms", gate.acquire, gate) })
    assert.are.equal(0.020, test.elapsed())
  end)

  it("releases a permit once, however often it is asked to", function()
    local gate = neap.semaphore(2)
    local first, second = gate:acquire(), gate:acquire()
    first:release()
    first:release()
    assert.is_true(is_free(gate))
    assert.is_false(is_free(gate, 2))
    second:release()
  end)

  it("refuses a release by another task", function()
    local gate = neap.semaphore(1)
    neap.scope(function(s)
      local permit = gate:acquire()
      local ok, err = s:spawn({ guard = true }, permit.release, permit):outcome()
      assert.is_false(ok)
      assert.are.equal("usage", err.kind)
      permit:release()
    end)
  end)

  it("takes a permit back that a task still holds at its end", function()
    local gate = neap.semaphore(1)
    neap.scope(function(s)
      s:spawn(function() gate:acquire() end):join()
      collectgarbage()
      assert.is_true(is_free(gate))
    end)
  end)

  it("does not give a slot back because nobody refers to its permit", function()
    local gate = neap.semaphore(1)
    neap.scope(function(s)
      s:spawn(function()
        local permits = setmetatable({ gate:acquire() }, { __mode = "v" })
        collectgarbage()
        assert.is_truthy(permits[1])
        assert.is_false(is_free(gate))
        permits[1]:release()
        collectgarbage()
        assert.is_nil(permits[1])
      end)
    end)
  end)

  it("is an arm of a select, which gives a permit", function()
    local gate = neap.semaphore(2)
    local index, permit = neap.select { gate:on_acquire(2) }
    assert.are.equal(1, index)
    assert.is_false(is_free(gate))
    permit:release()
    permit = neap.select { gate:on_acquire(function(p) return p end) }
    assert.is_false(is_free(gate, 2))
    permit:release()
    assert.are.equal("usage", select(2, pcall(gate.on_acquire, gate, 3)).kind)
  end)

  it("wakes a select whose arm waits, and the permit is that task's", function()
    local gate = neap.semaphore(1)
    neap.scope(function(s)
      local permit = gate:acquire()
      local waiter = s:spawn(function()
        local index, mine = neap.select { neap.after("1h"), gate:on_acquire() }
        assert.is_false(is_free(gate))
        mine:release()
        return index
      end)
      test.run_until_idle()
      permit:release()
      assert.are.equal(2, waiter:await())
      s:spawn(function() neap.select { gate:on_acquire() } end):join()
    end)
    assert.is_true(is_free(gate)) -- taken back from who dropped it
  end)

  it("serves those behind an arm that another one beat, or that was cancelled", function()
    local gate, ev = neap.semaphore(2), neap.event()
    for _, cancel in ipairs({ false, true }) do
      ev:clear()
      neap.scope(function(s)
        local permit = gate:acquire()
        local chooser = s:spawn(function() return (neap.select { gate:on_acquire(2), ev:on_wait() }) end)
        test.run_until_idle()
        local behind = s:spawn(function()
          local _ <close> = gate:acquire()
          return "served"
        end)
        test.run_until_idle()
        assert.are.equal("waiting", behind:status())
        if cancel then chooser:cancel() else ev:set() end
        assert.are.equal("served", behind:await())
        if not cancel then assert.are.equal(2, chooser:await()) end
        permit:release()
      end)
    end
    assert.is_true(is_free(gate, 2))
  end)

  it("keeps the arm that was served before the cancellation", function()
    local gate, got = neap.semaphore(1), nil
    neap.scope(function(s)
      local permit = gate:acquire()
      local chooser = s:spawn(function()
        neap.select { gate:on_acquire(function(p)
          local _ <close> = p
          got = true
          neap.sleep("1h")
        end) }
      end)
      test.run_until_idle()
      permit:release()
      chooser:cancel()
    end)
    assert.is_true(got)
    assert.is_true(is_free(gate))
  end)

  it("raises usage for a number of slots that it does not have", function()
    local gate = neap.semaphore(2)
    for _, n in ipairs({ 0, -1, 3, 1.5, "1" }) do
      local ok, err = pcall(gate.acquire, gate, n)
      assert.is_false(ok)
      assert.are.equal("usage", err.kind)
      assert.are.equal("usage", select(2, pcall(gate.try_acquire, gate, n)).kind)
    end
    assert.are.equal("usage", select(2, pcall(neap.semaphore, 0)).kind)
  end)

  it("raises before it takes a slot when the scope is cancelled", function()
    local gate = neap.semaphore(1)
    neap.scope(function(s)
      s:cancel()
      assert.is_false(neap.raw.pcall(gate.acquire, gate))
    end)
    assert.is_true(is_free(gate))
  end)
end)
