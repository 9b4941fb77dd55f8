local flows = require("spec.neap.flows")
local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local of, every, failing, timed = flows.of, flows.every, flows.failing, flows.timed
local catch = support.raised

describe("an operator of a flow that runs tasks", function()
  it("buffer lets the source run ahead", function()
    local made = {}
    local flow = neap.flow(function(emit)
      for i = 1, 4 do
        emit(i)
        made[i] = math.floor(test.elapsed() * 1000 + 0.5)
      end
    end):buffer(2)
    local seen = timed(flow:on_each(function() neap.sleep("10ms") end))
    assert.are.same({ { 1, 10 }, { 2, 20 }, { 3, 30 }, { 4, 40 } }, seen)
    assert.are.same({ 0, 0, 0, 10 }, made)
  end)

  it("buffer hands over what was made before an error", function()
    local seen = {}
    assert.are.equal("boom", catch(function()
      failing("boom", 1, 2):buffer(10):collect(function(n)
        neap.sleep("10ms")
        seen[#seen + 1] = n
      end)
    end))
    assert.are.same({ 1, 2 }, seen)
  end)

  it("buffer does not let the source see an error from below", function()
    local seen
    assert.are.equal("below", catch(function()
      neap.flow(function(emit)
        seen = table.pack(pcall(function()
          while true do emit(1) end
        end))
      end):buffer(1):collect(function() error("below", 0) end)
    end))
    assert.is_nil(seen)
  end)

  it("parallel_map runs so many at once and keeps the order", function()
    local running, peak = 0, 0
    local flow = of(30, 10, 20, 10):parallel_map(function(ms)
      running = running + 1
      peak = math.max(peak, running)
      neap.sleep(ms / 1000)
      running = running - 1
      return ms
    end, { limit = 2 })
    assert.are.same({ { 30, 30 }, { 10, 30 }, { 20, 50 }, { 10, 50 } }, timed(flow))
    assert.are.equal(2, peak)
  end)

  it("parallel_map without order emits what is there first", function()
    local flow = of(30, 10, 15):parallel_map(function(ms)
      neap.sleep(ms / 1000)
      return ms
    end, { limit = 2, ordered = false })
    assert.are.same({ { 10, 10 }, { 15, 25 }, { 30, 30 } }, timed(flow))
  end)

  it("parallel_map runs 8 at once by default, and no more while nobody takes the results", function()
    for _, ordered in ipairs({ true, false }) do
      local begun = 0
      neap.flow(function(emit)
        for i = 1, 100 do emit(i) end
      end):parallel_map(function(n)
        begun = begun + 1
        return n
      end, { ordered = ordered }):take(1):collect(function() neap.sleep("1s") end)
      assert.is_true(begun >= 8 and begun <= 10)
    end
  end)

  it("parallel_map raises an error in its turn, and cancels the rest", function()
    for _, ordered in ipairs({ true, false }) do
      local seen, cancelled = {}, nil
      assert.are.equal("boom", catch(function()
        of(1, 2, 3):parallel_map(function(n)
          if n == 2 then
            neap.sleep("20ms")
            error("boom", 0)
          elseif n == 3 then
            local _ <close> = neap.defer(function() cancelled = true end)
            neap.sleep(math.huge)
          end
          neap.sleep("10ms")
          return n
        end, { ordered = ordered }):collect(function(n) seen[#seen + 1] = n end)
      end))
      assert.are.same({ 1 }, seen)
      assert.is_true(cancelled)
    end
  end)

  it("parallel_map passes an error of what is above after what came before it", function()
    for _, ordered in ipairs({ true, false }) do
      local seen = {}
      assert.are.equal("boom", catch(function()
        failing("boom", 1, 2):parallel_map(function(n) return n end, { ordered = ordered })
          :collect(function(n) seen[#seen + 1] = n end)
      end))
      table.sort(seen)
      assert.are.same({ 1, 2 }, seen)
    end
  end)

  it("parallel_map forgets a failure that is not wanted any more", function()
    local list = of(1, 2):parallel_map(function(n)
      if n == 2 then error("late", 0) end
      neap.sleep("10ms")
      return n
    end):take(1):to_list()
    assert.are.same({ 1 }, list)
  end)

  it("merge emits values of several flows as they come", function()
    assert.are.same({ { "b", 15 }, { "a", 20 }, { "b", 30 }, { "a", 40 } },
      timed(every(20, "a", "a"):merge(every(15, "b", "b"))))
    assert.are.equal(3, of(1):merge({ 2 }, of()):reduce(0, function(a, b) return a + b end))
  end)

  it("merge ends with the first error, and stops the others", function()
    local stopped
    local slow = neap.flow(function()
      local _ <close> = neap.defer(function() stopped = true end)
      neap.sleep(math.huge)
    end)
    local seen = {}
    assert.are.equal("boom", catch(function()
      of(1):on_completion(function()
        neap.sleep("1ms")
        error("boom", 0)
      end):merge(slow):collect(function(n) seen[#seen + 1] = n end)
    end))
    assert.are.same({ 1 }, seen)
    assert.is_true(stopped)
  end)

  it("zip emits pairs, and ends with the shorter one", function()
    local pairs_seen = {}
    local function note(flow)
      flow:collect(function(a, b) pairs_seen[#pairs_seen + 1] = a .. b end)
    end
    note(every(10, "a", "b", "c"):zip(every(15, 1, 2)))
    note(of("x"):zip({ 1, 2, 3 }))
    assert.are.same({ "a1", "b2", "x1" }, pairs_seen)
  end)

  it("zip passes an error of the other flow", function()
    assert.are.equal("boom", catch(function() of(1, 2):zip(failing("boom", 1)):collect() end))
  end)

  it("zip ends with either flow at once, though the other one is silent", function()
    local function slow() return every(3600000, "late") end
    assert.are.same({}, slow():zip({}):to_list())
    assert.are.same({}, of():zip(slow()):to_list())
    assert.are.equal("boom", catch(function() slow():zip(failing("boom")):collect() end))
    assert.are.equal("boom", catch(function() failing("boom"):zip(slow()):collect() end))
    assert.are.equal(0, test.elapsed())
  end)

  it("debounce emits a value when none has followed, and the last one", function()
    local flow = neap.flow(function(emit)
      emit(1)
      neap.sleep("5ms")
      emit(2)
      neap.sleep("20ms")
      emit(3)
      neap.sleep("1ms")
      emit(4)
    end)
    assert.are.same({ { 2, 15 }, { 4, 26 } }, timed(flow:debounce("10ms")))
  end)

  it("sample emits the newest value each time, if there is a new one", function()
    local flow = every(4, 1, 2, 3, 4, 5):on_completion(function() neap.sleep("25ms") end)
    -- 1 at 4 ms, 2 at 8, 3 at 12, 4 at 16, 5 at 20; the end at 45.
    assert.are.same({ { 2, 11 }, { 5, 22 } }, timed(flow:sample("11ms")))
  end)

  it("sample leaves out the times at which its value was being handled", function()
    local seen = timed(every(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15):sample("2ms")
      :on_each(function(n)
        if n <= 2 then neap.sleep("5ms") end
      end))
    assert.are.equal(7, seen[1][2])
    assert.are.equal(8, seen[2][2])
  end)

  -- Emits without end; its cleanup fails.
  local function unclean()
    return neap.flow(function(emit)
      local _ <close> = neap.defer(error, "cleanup", 0)
      while true do emit(1) end
    end)
  end

  it("raises what the cleanup above raises when it is stopped, as a flow without tasks does", function()
    local function same(n) return n end
    local function careless(n)
      local _ <close> = n > 1 and neap.defer(error, "cleanup", 0) or nil
      neap.sleep("1ms")
      if n > 1 then neap.sleep("1s") end
      return n
    end
    for _, flow in ipairs({ unclean(), unclean():buffer(2), unclean():merge(of(2, 2)), of(1, 2):zip(unclean()),
      unclean():parallel_map(same), unclean():parallel_map(same, { ordered = false }),
      unclean():chunk(1, { within = "1s" }) }) do
      assert.are.equal("cleanup", catch(function() flow:take(1):collect() end))
    end
    assert.are.equal("cleanup", catch(function()
      for n in unclean():iter() do
        if n == 1 then break end
      end
    end))
    for _, ordered in ipairs({ true, false }) do
      local mapped = of(1, 2):parallel_map(careless, { ordered = ordered })
      assert.are.equal("cleanup", catch(function() mapped:take(1):collect() end))
    end
  end)

  it("keeps what the cleanup above raises in the others of an error from below", function()
    local mine = neap.error("mine", "from below")
    for _, walk in ipairs({
      function() unclean():buffer(1):collect(function() error(mine) end) end,
      function()
        for _ in unclean():iter() do error(mine) end
      end,
    }) do
      mine.others = nil
      assert.are.equal(mine, catch(walk))
      assert.are.same({ "cleanup" }, mine.others)
    end
  end)

  it("is cancelled with the task", function()
    local stopped = 0
    local function source()
      return neap.flow(function(emit)
        local _ <close> = neap.defer(function() stopped = stopped + 1 end)
        while true do
          emit(1)
          neap.sleep("1ms")
        end
      end)
    end
    for _, flow in ipairs({ source():buffer(2), source():merge(source()), source():zip(source()),
      source():debounce("2ms"), source():sample("2ms"), source():chunk(3, { within = "2ms" }),
      source():parallel_map(function(n) return n end) }) do
      assert.are.equal("timeout", select(2, neap.timeout_or("10ms", flow.collect, flow)))
    end
    assert.are.equal(9, stopped)
  end)
end)
