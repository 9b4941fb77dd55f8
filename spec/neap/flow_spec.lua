local flows = require("spec.neap.flows")
local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local of, every, failing, timed = flows.of, flows.every, flows.failing, flows.timed
local catch = support.raised

local function is_even(n) return n % 2 == 0 end

describe("neap.flow", function()
  it("does nothing until it is ended, and begins anew each time", function()
    local runs = 0
    local flow = neap.flow(function(emit)
      runs = runs + 1
      emit(runs)
    end):map(function(n) return n * 10 end)
    assert.are.equal(0, runs)
    assert.are.same({ 10 }, flow:to_list())
    assert.are.same({ 20 }, flow:to_list())
  end)

  it("makes the next value when the one before has been handled", function()
    local log = {}
    neap.flow(function(emit)
      for i = 1, 2 do
        log[#log + 1] = "make " .. i
        emit(i)
      end
    end):map(function(n) return n end):collect(function(n)
      neap.sleep("1ms")
      log[#log + 1] = "handled " .. n
    end)
    assert.are.same({ "make 1", "handled 1", "make 2", "handled 2" }, log)
  end)

  it("passes all values that belong together", function()
    local seen
    neap.flow(function(emit) emit(1, nil, 3) end):filter(function() return true end)
      :collect(function(...) seen = table.pack(...) end)
    assert.are.same({ 1, nil, 3, n = 3 }, seen)
  end)

  it("is made of a list, a channel, a function or a flow", function()
    assert.are.same({ 1, 2 }, of(1, 2):to_list())
    assert.are.same({}, neap.flow.from({}):to_list())

    local ch = neap.channel(2)
    ch:send("a")
    ch:send("b")
    ch:close()
    assert.are.same({ "a", "b" }, neap.flow.from(ch):to_list())
    assert.are.same({}, neap.flow.from(ch:receiver()):to_list())

    assert.are.same({ "x", "y" }, neap.flow.from(("x y"):gmatch("%a")):to_list())
    local flow = of(1)
    assert.are.equal(flow, neap.flow.from(flow))
  end)

  it("refuses other things", function()
    assert.are.equal("usage", catch(neap.flow, 1).kind)
    assert.are.equal("usage", catch(neap.flow.from, 1).kind)
    assert.are.equal("usage", catch(of(1).map, of(1)).kind)
    assert.are.equal("usage", catch(of(1).take, of(1), -1).kind)
    assert.are.equal("usage", catch(of(1).retry, of(1), { atempts = 1 }).kind)
    assert.are.equal("usage", catch(of(1).parallel_map, of(1), print, { limit = 0 }).kind)
    assert.are.equal("usage", catch(of(1).sample, of(1), 0).kind)
    assert.are.equal("usage", catch(of(1).buffer, of(1), 0).kind)
  end)
end)

describe("an operator of a flow", function()
  it("map emits what the function returns", function()
    assert.are.same({ 2, 4 }, of(1, 2):map(function(n) return n * 2 end):to_list())
  end)

  it("filter emits the values for which it is true", function()
    assert.are.same({ 2, 4 }, of(1, 2, 3, 4):filter(is_even):to_list())
  end)

  it("filter_map emits what the function returns unless it is nil", function()
    assert.are.same({ false, 20 }, of(1, 2, 3):filter_map(function(n)
      if n == 1 then return false end
      if n == 2 then return 20 end
    end):to_list())
  end)

  it("take emits the first values and stops what is above", function()
    local made, stopped = 0, nil
    local flow = neap.flow(function(emit)
      local _ <close> = neap.defer(function() stopped = true end)
      for i = 1, math.huge do
        made = i
        emit(i)
      end
    end)
    assert.are.same({ 1, 2 }, flow:take(2):to_list())
    assert.are.equal(2, made)
    assert.is_true(stopped)
    assert.are.same({}, flow:take(0):to_list())
    assert.are.same({ 1 }, of(1):take(5):to_list())
  end)

  it("take stops what is above although that catches errors", function()
    local flow = neap.flow(function(emit)
      while true do pcall(emit, 1) end
    end)
    assert.are.same({ 1, 1 }, flow:take(2):to_list())
  end)

  it("take_while ends with the first value for which it is false", function()
    assert.are.same({ 1, 2 }, of(1, 2, 3, 1):take_while(function(n) return n < 3 end):to_list())
  end)

  describe("whose source emits under a shield or behind a pivot", function()
    local made

    local function shielded(fn) neap.shield("1s", fn) end

    local function behind_pivot(fn)
      neap.saga(function()
        neap.pivot()
        fn()
      end)
    end

    local function source(guard)
      return neap.flow(function(emit)
        guard(function()
          for i = 1, 5 do
            emit(i)
            made = i
          end
        end)
        emit(6)
        made = 6
      end)
    end

    it("lets it run on, and drops what comes too late", function()
      local function check(expected, found)
        assert.are.same(expected, found)
        assert.are.equal(5, made)
        assert.are.equal(0, test.elapsed())
        made = nil
      end
      local function is_small(n) return n < 3 end

      for _, guard in ipairs({ shielded, behind_pivot }) do
        local flow = source(guard)
        check({ 1, 2 }, flow:take(2):to_list())
        check(1, flow:first())
        check({ 1, 2 }, flow:take_while(is_small):to_list())
        check({ 1, 2 }, flow:zip({ "a", "b" }):to_list())
        check({ "a", "b" }, neap.flow.from({ "a", "b" }):zip(flow):to_list())
        check({ 1, 2 }, flow:take(4):take(2):to_list())

        check({ 1, 2 }, flow:buffer(1):take(2):to_list())
        check({ 1, 2 }, flow:merge({}):take(2):to_list())
        check({ { 1, 2 } }, flow:chunk(2, { within = "1ms" }):take(1):to_list())
        for _, ordered in ipairs({ true, false }) do
          local mapped = flow:parallel_map(function(n) return n end, { limit = 1, ordered = ordered })
          check({ 1, 2 }, mapped:take(2):to_list())
        end
        for i in flow:iter() do
          if i == 2 then break end
        end
        check()
      end
    end)

    it("does not wait for the other flow of a zip, which was cancelled", function()
      assert.are.equal("timeout", select(2, neap.timeout_or("10ms", function()
        source(behind_pivot):zip(every(1000, 1, 2)):collect()
      end)))
      assert.are.equal(5, made)
    end)
  end)

  it("drop leaves out the first values", function()
    assert.are.same({ 3 }, of(1, 2, 3):drop(2):to_list())
    assert.are.same({ 1 }, of(1):drop(0):to_list())
  end)

  it("distinct compares neighbours", function()
    assert.are.same({ 1, 2, 1 }, of(1, 1, 2, 2, 1):distinct():to_list())
    assert.are.same({ 1, 4, 5 }, of(1, 3, 4, 5):distinct_by(is_even):to_list())
  end)

  it("distinct begins with the first value, also nil", function()
    local count = neap.flow(function(emit)
      emit(nil)
      emit(nil)
      emit(1)
    end):distinct():count()
    assert.are.equal(2, count)
  end)

  it("scan emits the initial value first", function()
    local function add(a, b) return a + b end
    assert.are.same({ 0, 1, 3, 6 }, of(1, 2, 3):scan(0, add):to_list())
    assert.are.same({ 7 }, of():scan(7, add):to_list())
  end)

  it("flat_map emits the values of one flow after the other", function()
    assert.are.same({ 1, 10, 2, 20 }, of(1, 2):flat_map(function(n)
      return n == 1 and { n, n * 10 } or of(n, n * 10)
    end):to_list())
  end)

  it("window emits lists of neighbours", function()
    assert.are.same({ { 1, 2 }, { 2, 3 }, { 3, 4 } }, of(1, 2, 3, 4):window(2):to_list())
    assert.are.same({ { 1, 2 }, { 4, 5 } }, of(1, 2, 3, 4, 5, 6):window(2, 3):to_list())
    assert.are.same({ { 1, 2, 3 }, { 3, 4, 5 } }, of(1, 2, 3, 4, 5, 6):window(3, 2):to_list())
    assert.are.same({}, of(1):window(2):to_list())
  end)

  it("chunk emits lists of a size, the last one shorter", function()
    assert.are.same({ { 1, 2 }, { 3 } }, of(1, 2, 3):chunk(2):to_list())
    assert.are.same({ { 1, 2 } }, of(1, 2):chunk(2):to_list())
    assert.are.same({}, of():chunk(2):to_list())
  end)

  it("chunk with `within` emits a list that is not full, too", function()
    local flow = neap.flow(function(emit)
      emit(1)
      neap.sleep("5ms")
      emit(2)
      neap.sleep("20ms")
      emit(3)
      emit(4)
      emit(5)
      emit(6)
    end)
    assert.are.same({ { { 1, 2 }, 10 }, { { 3, 4, 5 }, 25 }, { { 6 }, 25 } },
      timed(flow:chunk(3, { within = "10ms" })))
  end)

  it("on_each sees each value before it goes on", function()
    local log = {}
    of(1, 2):on_each(function(n) log[#log + 1] = "each " .. n end)
      :collect(function(n) log[#log + 1] = n end)
    assert.are.same({ "each 1", 1, "each 2", 2 }, log)
  end)

  it("on_start runs before, and may emit", function()
    assert.are.same({ 0, 1 }, of(1):on_start(function(emit) emit(0) end):to_list())
  end)

  it("on_completion runs at the end, and hears how it came", function()
    local ends = {}
    local function note(flow)
      return flow:on_completion(function(err)
        ends[#ends + 1] = err == nil and "well" or neap.is_cancelled(err) and "stopped" or err
      end)
    end
    note(of(1)):collect()
    catch(function() note(failing("above")):collect() end)
    catch(function() note(of(1)):collect(function() error("below", 0) end) end)
    note(of(1, 2)):take(1):collect()
    assert.are.same({ "well", "above", "below", "stopped" }, ends)
  end)
end)

describe("the errors of a flow", function()
  it("pass downstream to whoever ends it", function()
    local seen = {}
    assert.are.equal("boom", catch(function()
      failing("boom", 1):map(function(n) return n end):collect(function(n) seen[#seen + 1] = n end)
    end))
    assert.are.same({ 1 }, seen)
  end)

  it("are caught by what is below them", function()
    local caught
    local list = failing("boom", 1):catch(function(err, emit)
      caught = err
      emit(2)
    end):to_list()
    assert.are.equal("boom", caught)
    assert.are.same({ 1, 2 }, list)
  end)

  it("can be raised again by what catches them", function()
    assert.are.equal("boom!", catch(function()
      failing("boom"):catch(function(err) error(err .. "!", 0) end):collect()
    end))
  end)

  it("are not caught above", function()
    local caught
    local flow = of(1):catch(function(err) caught = err end)
    assert.are.equal("below", catch(function()
      flow:map(function() error("below", 0) end):collect()
    end))
    assert.are.equal("below", catch(function()
      flow:collect(function() error("below", 0) end)
    end))
    assert.is_nil(caught)
  end)

  it("pass although the source catches them: it is stopped where it emits once more", function()
    local heard, calls = {}, 0
    local flow = neap.flow(function(emit)
      while true do
        heard[#heard + 1] = select(2, pcall(emit, 1))
        neap.sleep("1s")
      end
    end)
    for _, above in ipairs({ flow, flow:map(tostring), flow:catch(function() end), flow:retry({ base = "1ms" }) }) do
      assert.are.equal("below", catch(function()
        above:collect(function()
          calls = calls + 1
          error("below", 0)
        end)
      end))
    end
    assert.are.same({ "below", "below", "below", "below" }, heard)
    assert.are.equal(4, calls)
    assert.are.equal(4, test.elapsed())
  end)

  it("leave a source time to clean up", function()
    local is_clean = false
    local flow = neap.flow(function(emit)
      local _ <close> = neap.defer(function()
        neap.sleep("1s")
        is_clean = true
      end)
      emit(1)
    end)
    assert.are.equal("below", catch(function() flow:collect(function() error("below", 0) end) end))
    assert.is_true(is_clean)
  end)

  it("of what a catch emits pass, too", function()
    local calls = 0
    assert.are.equal("below", catch(function()
      failing("above"):catch(function(_, emit)
        calls = calls + 1
        pcall(emit, 1)
      end):collect(function() error("below", 0) end)
    end))
    assert.are.equal(1, calls)
  end)

  it("are retried from the beginning, with delays that grow", function()
    local times = {}
    local list = neap.flow(function(emit)
      times[#times + 1] = math.floor(test.elapsed() * 1000 + 0.5)
      emit(#times)
      if #times < 4 then error("again") end
    end):retry({ attempts = 4, jitter = "none" }):to_list()
    assert.are.same({ 1, 2, 3, 4 }, list)
    assert.are.same({ 0, 100, 300, 700 }, times)
  end)

  it("are raised when there is no further attempt: after 3, after a rejection or a mistake, or as `on` says", function()
    local function attempts(opts, raise)
      local count = 0
      local flow = neap.flow(function()
        count = count + 1
        raise(count)
      end)
      local e = catch(function() flow:retry(opts):collect() end)
      return count, e
    end
    assert.are.same({ 3, "3" }, { attempts(nil, function(n) error(tostring(n), 0) end) })
    assert.are.equal(1, (attempts({ attempts = math.huge }, function() neap.reject("no") end)))
    assert.are.equal(1, (attempts({ attempts = math.huge }, function() neap.sleep("soon") end)))
    assert.are.equal(2, (attempts({ attempts = 9, on = function(err) return err == "1" end },
      function(n) error(tostring(n), 0) end)))
  end)

  it("from below are not retried", function()
    local runs = 0
    catch(function()
      neap.flow(function(emit)
        runs = runs + 1
        emit(1)
      end):retry():collect(function() error("below", 0) end)
    end)
    assert.are.equal(1, runs)
  end)

  it("include a timeout for each value, without the time of the consumer", function()
    local seen = {}
    local flow = neap.flow(function(emit)
      neap.sleep("9ms")
      emit(1)
      neap.sleep("9ms")
      emit(2)
      neap.sleep("11ms")
      emit(3)
    end):timeout("10ms")
    local e = catch(function()
      flow:collect(function(n)
        seen[#seen + 1] = n
        neap.sleep("50ms")
      end)
    end)
    assert.are.equal("timeout", e.kind)
    assert.are.same({ 1, 2 }, seen)
    assert.are.same({ 1, 2, "late" }, flow:catch(function(_, emit) emit("late") end):to_list())
  end)
end)

describe("the end of a flow", function()
  it("to_list keeps the first of several values", function()
    assert.are.same({ 1, 2 }, of(1, 2):zip(of(3, 4)):to_list())
  end)

  it("first is the first, or nothing", function()
    assert.are.same({ 1, 3 }, { of(1, 2):zip(of(3, 4)):first() })
    assert.are.equal(0, select("#", of():first()))
  end)

  it("count and reduce run through all", function()
    assert.are.equal(3, of(1, 2, 3):count())
    assert.are.equal(6, of(1, 2, 3):reduce(0, function(a, b) return a + b end))
    assert.are.equal(9, of():reduce(9, function() end))
  end)

  it("iter walks the values in a loop, in a task of the loop's scope", function()
    local seen = {}
    for a, b in every(10, 1, 2):zip(of("x", "y")):iter() do seen[#seen + 1] = a .. b end
    assert.are.same({ "1x", "2y" }, seen)
    assert.are.equal(0.020, test.elapsed())
  end)

  it("iter stops the flow when the loop is left", function()
    local stopped
    local flow = neap.flow(function(emit)
      local _ <close> = neap.defer(function() stopped = true end)
      for i = 1, math.huge do emit(i) end
    end)
    for i in flow:iter() do
      if i == 3 then break end
    end
    assert.is_true(stopped)

    stopped = false
    assert.has_error(function()
      for _ in flow:iter() do error("body", 0) end
    end, "body")
    assert.is_true(stopped)
  end)

  it("iter raises the flow's error in the loop", function()
    local seen = {}
    assert.has_error(function()
      for i in failing("boom", 1):iter() do seen[#seen + 1] = i end
    end, "boom")
    assert.are.same({ 1 }, seen)
  end)

  it("iter is cancelled with its task", function()
    local _, why = neap.timeout_or("10ms", function()
      for _ in every(3, 1, 2, 3, 4, 5):iter() do neap.sleep("1ms") end
    end)
    assert.are.equal("timeout", why)
  end)
end)

describe("a walk", function()
  local ENDS = {
    collect = function(flow) flow:collect() end,
    to_list = function(flow) flow:to_list() end,
    first = function(flow) flow:filter(function() return false end):first() end,
    count = function(flow) flow:count() end,
    reduce = function(flow) flow:reduce(0, math.max) end,
    iter = function(flow) for _ in flow:iter() do end end,
  }
  local endless = neap.flow.from(function() return 1 end)

  it("is a checkpoint, also of a flow without values", function()
    for _, walk in pairs(ENDS) do
      local is_over = false
      local _, why = neap.scope(function(s)
        s:cancel()
        walk(of())
        is_over = true
      end)
      assert.are.equal("cancelled", why)
      assert.is_false(is_over)
    end
  end)

  it("passes a checkpoint with each value, so that a flow that never waits is cancelled", function()
    for _, walk in pairs(ENDS) do
      local count = 0
      local _, why = neap.scope(function(s)
        walk(endless:on_each(function()
          count = count + 1
          if count == 3 then s:cancel() end
        end))
      end)
      assert.are.equal("cancelled", why)
      assert.are.equal(3, count)
    end
  end)

  it("lets others run, while a flow never waits", function()
    for _, walk in pairs(ENDS) do
      local others = 0
      local _, why = neap.scope(function(s)
        s:spawn(function()
          for _ = 1, 3 do
            others = others + 1
            neap.yield()
          end
          s:cancel()
        end)
        walk(endless)
      end)
      assert.are.equal("cancelled", why)
      assert.are.equal(3, others)
    end
  end)

  it("refuses a value that is emitted where Lua cannot suspend", function()
    local flow = neap.flow(function(emit) table.sort({ 1, 2 }, emit) end)
    local err = catch(flow.to_list, flow)
    assert.are.equal("usage", err.kind)
    assert.is_truthy(err.message:find("flow: emit: cannot suspend inside table.sort", 1, true), err.message)
  end)
end)
