local neap = require("neap")
local test = require("neap.test")

local NO_RETRY = { attempts = 1 }

-- A step that notes its run and its undo in `log`; it fails if there is an error.
local function act(log, name, err)
  return neap.step(name, {
    run = function()
      log[#log + 1] = name
      if err ~= nil then error(err, 0) end
      return name .. "!"
    end,
    undo = function(_, result, outcome)
      log[#log + 1] = ("undo %s %s %s"):format(name, result, outcome)
    end,
    retry = NO_RETRY,
  })
end

local function catch(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  return e
end

local function failing_saga(fn)
  return catch(neap.saga, function()
    fn()
    error("the end", 0)
  end)
end

describe("neap.step", function()
  it("returns what its function returns, any number of values", function()
    local result = table.pack(neap.step("three", function() return 1, nil, 3 end))
    assert.are.same({ 1, nil, 3, n = 3 }, result)
    assert.are.equal(0, select("#", neap.step("none", function() end)))
  end)

  it("takes its function alone, behind options, or as run", function()
    assert.are.equal(1, neap.step("a", function() return 1 end))
    assert.are.equal(2, neap.step("b", { timeout = "1s" }, function() return 2 end))
    assert.are.equal(3, neap.step("c", { run = function() return 3 end }))
  end)

  it("gives each call a key of its own, and each attempt the same", function()
    local keys = {}
    for _ = 1, 2 do
      neap.step("twice", { retry = { attempts = 2 } }, function(cx)
        keys[#keys + 1] = cx.key
        if cx.attempt == 1 then error("again") end
      end)
    end
    assert.are.equal(keys[1], keys[2])
    assert.are.equal(keys[3], keys[4])
    assert.are_not.equal(keys[1], keys[3])
    assert.is_true(#keys[1] <= 40)
  end)

  it("counts attempts, keeps the detail of a heartbeat, and has no execution", function()
    local seen = {}
    neap.step("beat", function(cx)
      seen[#seen + 1] = { cx.attempt, cx.detail }
      assert.is_nil(cx.id)
      cx.heartbeat(cx.attempt * 10)
      assert.are.equal(cx.attempt * 10, cx.detail)
      if cx.attempt < 3 then error("again") end
    end)
    assert.are.same({ { 1 }, { 2, 10 }, { 3, 20 } }, seen)
  end)

  it("raises what is no error object as one of kind `error`, the value as its data", function()
    local e = catch(neap.step, "s", { retry = NO_RETRY }, function() error({ 42 }) end)
    assert.are.equal("error", e.kind)
    assert.are.same({ 42 }, e.data)

    e = catch(neap.step, "s", { retry = NO_RETRY }, function() error("boom", 0) end)
    assert.are.equal("boom", e.message)
    assert.are.equal("boom", e.data)
    assert.is_truthy(e.traceback:find("saga_spec", 1, true))
  end)

  it("raises an error object as it is", function()
    local mine = neap.error("mine", "m", { code = "E1" })
    assert.are.equal(mine, catch(neap.step, "s", { retry = NO_RETRY }, function() error(mine) end))
  end)

  it("cannot be called inside of another one, nor in a task of it", function()
    local inner, task
    neap.step("outer", function()
      inner = catch(neap.step, "inner", print)
      neap.scope(function(s)
        task = select(2, s:spawn({ guard = true }, neap.step, "inner", print):outcome())
      end)
    end)
    assert.are.equal("usage", inner.kind)
    assert.are.equal("usage", task.kind)
  end)

  it("refuses an undo outside of a saga", function()
    local e = catch(neap.step, "s", { run = print, undo = print })
    assert.are.equal("usage", e.kind)
    assert.is_truthy(e.message:find("neap.saga", 1, true))
  end)

  it("does not run in a cancelled scope", function()
    local ran
    neap.scope(function(s)
      s:cancel()
      neap.step("s", function() ran = true end)
    end)
    assert.is_nil(ran)
  end)

  it("checks its arguments", function()
    for _, args in ipairs({
      { 1, print }, { "", print }, { "s" }, { "s", {} }, { "s", { run = print }, print },
      { "s", { runn = print } }, { "s", { retry = { attempts = 0 } }, }, { "s", { undo = 1 } },
      { "s", { retry = { atempts = 1 } }, print }, { "s", { retry = { jitter = "some" } }, print },
      { "s", { retry = { factor = 0.5 } }, print }, { "s", { undo_retry = { on = 1 } }, print },
      { "s", { on_exhausted = "wait" }, print }, { "s", { once = 1 }, print },
      { "s", { reconcile = 1 }, print }, { "s", { heartbeat = "x" }, print },
      { "s", { limit = { rate = 1 } }, print }, { "s", { limit = { key = "k", n = 1 } }, print },
      { "s", { timeout = "soon" }, print }, { "s", { once = true, retry = { attempts = 2 } }, print },
    }) do
      assert.are.equal("usage", catch(neap.step, table.unpack(args, 1, 3)).kind)
    end
  end)

  it("takes options that need a journal, without effect", function()
    local calls = 0
    local e = catch(neap.step, "s", { on_exhausted = "park", heartbeat = "1ms", tx = {},
      limit = { key = "k", concurrency = 1 }, retry = { attempts = 2 },
      reconcile = function() error("asked") end }, function()
        calls = calls + 1
        neap.sleep("10ms")
        error("boom", 0)
      end)
    assert.are.equal("boom", e.message)
    assert.are.equal(2, calls)
  end)
end)

describe("the retries of a step", function()
  -- When its attempts began, in seconds.
  local function begun(opts, run)
    local times = {}
    local outcome = table.pack(pcall(neap.step, "s", opts, function(cx)
      times[#times + 1] = test.elapsed()
      return run(cx)
    end))
    return times, outcome[1], outcome[2]
  end

  local function assert_times(expected, times)
    assert.are.equal(#expected, #times)
    for i, time in ipairs(times) do assert.is_near(expected[i], time, 1e-9) end
  end

  it("wait 100 ms, then twice as long each time", function()
    local times, ok, value = begun({ retry = { jitter = "none" } }, function(cx)
      if cx.attempt < 4 then error("again") end
      return "done"
    end)
    assert.is_true(ok)
    assert.are.equal("done", value)
    assert_times({ 0, 0.1, 0.3, 0.7 }, times)
  end)

  it("wait at most 30 s", function()
    local times = begun({ retry = { jitter = "none", attempts = 12 } }, error)
    assert.is_near(30, times[12] - times[11], 1e-9)
    assert.is_near(25.6, times[10] - times[9], 1e-9)
  end)

  it("follow base, factor and max", function()
    local times = begun({ retry = { attempts = 5, base = "1s", factor = 3, max = "5s",
      jitter = "none" } }, error)
    assert_times({ 0, 1, 4, 9, 14 }, times)
  end)

  it("draw each delay between nothing and its length", function()
    local times = begun({ retry = { attempts = 20, base = "1s", factor = 1 } }, error)
    local distinct = {}
    for i = 2, 20 do
      local delay = times[i] - times[i - 1]
      assert.is_true(delay >= 0 and delay <= 1)
      distinct[delay] = true
    end
    assert.is_truthy(next(distinct, next(distinct)))
  end)

  it("end after `attempts`, and raise the last error", function()
    local times, ok, e = begun({ retry = { attempts = 3, jitter = "none" } }, function(cx)
      error(cx.attempt, 0)
    end)
    assert.is_false(ok)
    assert.are.equal(3, e.data)
    assert.are.equal(3, #times)
  end)

  it("begin no attempt later than `elapsed` after the first failure", function()
    local times = begun({ retry = { elapsed = "1s", base = "400ms", factor = 1, jitter = "none" } },
      function()
        neap.sleep("100ms")
        error("boom")
      end)
    assert_times({ 0, 0.5, 1.0 }, times)
  end)

  it("go on for 15 minutes by default", function()
    local times = begun({ retry = { factor = 1, base = "59s", max = "59s", jitter = "none" } }, error)
    assert.are.equal(16, #times)
  end)

  it("go on for as long as `attempts` say, if those are given", function()
    local times = begun({ retry = { attempts = 20, factor = 1, base = "60s", max = "60s",
      jitter = "none" } }, error)
    assert.are.equal(20, #times)
  end)

  it("are not made after a rejection", function()
    local times, ok, e = begun({}, function() neap.reject("no_stock", { sku = 12 }) end)
    assert.is_false(ok)
    assert.are.equal(1, #times)
    assert.are.equal("rejected", e.kind)
    assert.are.equal("no_stock", e.code)
    assert.are.same({ sku = 12 }, e.data)
  end)

  it("are made only for errors that `on` lets pass", function()
    local asked = {}
    local times, _, e = begun({ retry = { on = function(err)
      asked[#asked + 1] = err.kind
      return err.kind == "io"
    end } }, function(cx)
      error(neap.error(cx.attempt == 1 and "io" or "json", "m"))
    end)
    assert.are.equal(2, #times)
    assert.are.same({ "io", "json" }, asked)
    assert.are.equal("json", e.kind)
  end)

  it("begin when retry_after says, and that attempt counts", function()
    local times, ok, e = begun({ retry = { attempts = 2 } }, function() neap.retry_after("5s") end)
    assert_times({ 0, 5 }, times)
    assert.is_false(ok)
    assert.are.equal("error", e.kind)
  end)

  it("are made when an attempt takes longer than the timeout", function()
    local times, ok, e = begun({ timeout = "1s", retry = { attempts = 2, base = "1s", jitter = "none" } },
      function() neap.sleep("2s") end)
    assert_times({ 0, 2 }, times)
    assert.is_false(ok)
    assert.are.equal("timeout", e.kind)
  end)

  it("are made after 30 s without a timeout option", function()
    local times = begun({ retry = { attempts = 2, base = "1s", jitter = "none" } },
      function() neap.sleep(math.huge) end)
    assert_times({ 0, 31 }, times)
  end)

  it("are not made with `once`", function()
    local times = begun({ once = true }, error)
    assert.are.equal(1, #times)
  end)

  it("end with the cancellation of the task", function()
    local times
    local _, why = neap.timeout_or("10s", function()
      times = begun({ retry = { base = "4s", factor = 1, jitter = "none" } }, error)
    end)
    assert.are.equal("timeout", why)
    assert.is_nil(times)
    assert.are.equal(10, test.elapsed())
  end)

  it("are not asked for when the task is cancelled, and an error of the body wins", function()
    local asked = 0
    local ok, e = pcall(neap.timeout, "10ms", neap.step, "s", { retry = { on = function()
      asked = asked + 1
      return true
    end } }, function()
      neap.raw.pcall(neap.sleep, math.huge)
      error("in spite of it", 0)
    end)
    assert.is_false(ok)
    assert.are.equal("in spite of it", e.message)
    neap.timeout_or("10ms", neap.step, "s", { retry = { on = function() asked = 10 end } },
      function() neap.sleep(1) end)
    assert.is_true(asked <= 1)
  end)

  it("cannot be asked for outside of a body", function()
    assert.are.equal("usage", catch(neap.retry_after, 1).kind)
  end)
end)

describe("neap.saga", function()
  it("returns what its function returns, and undoes nothing", function()
    local log = {}
    local a, b = neap.saga(function(x)
      act(log, "one")
      return x, "b"
    end, "a")
    assert.are.same({ "a", "b" }, { a, b })
    assert.are.same({ "one" }, log)
  end)

  it("undoes in the reverse order and raises the error unchanged", function()
    local log, mine = {}, {}
    local e = catch(neap.saga, function()
      act(log, "one")
      act(log, "two")
      error(mine)
    end)
    assert.are.equal(mine, e)
    assert.are.same({ "one", "two", "undo two two! done", "undo one one! done" }, log)
  end)

  it("undoes a step whose outcome is unknown, without a result", function()
    local log = {}
    local e = catch(neap.saga, function()
      act(log, "one")
      act(log, "two", "lost")
    end)
    assert.are.equal("lost", e.message)
    assert.are.same({ "one", "two", "undo two nil unknown", "undo one one! done" }, log)
  end)

  it("does not undo a step that was rejected", function()
    local log = {}
    local e = catch(neap.saga, function()
      act(log, "one")
      act(log, "two", neap.error("rejected", "no"))
    end)
    assert.are.equal("rejected", e.kind)
    assert.are.same({ "one", "two", "undo one one! done" }, log)
  end)

  it("is undone by a rejection between steps", function()
    local log = {}
    local e = catch(neap.saga, function()
      act(log, "one")
      neap.reject("not_approved", 7)
    end)
    assert.are.equal("not_approved", e.code)
    assert.are.equal(7, e.data)
    assert.are.same({ "one", "undo one one! done" }, log)
  end)

  it("goes on when the script handles the error of a step", function()
    local log = {}
    neap.saga(function()
      pcall(act, log, "one", "lost")
      act(log, "two")
    end)
    assert.are.same({ "one", "two" }, log)
  end)

  it("undoes a step that failed before and was handled, if it fails later", function()
    local log = {}
    failing_saga(function()
      pcall(act, log, "one", "lost")
      act(log, "two")
    end)
    assert.are.same({ "one", "two", "undo two two! done", "undo one nil unknown" }, log)
  end)

  it("gives an undo its own key and that of the step", function()
    local key, undo = nil, nil
    failing_saga(function()
      neap.step("s", {
        run = function(cx) key = cx.key end,
        undo = function(cx) undo = { key = cx.key, step_key = cx.step_key, attempt = cx.attempt } end,
      })
    end)
    assert.are.equal(key, undo.step_key)
    assert.are_not.equal(key, undo.key)
    assert.are.equal(1, undo.attempt)
  end)

  it("retries an undo without limit, at most 5 minutes apart", function()
    local times = {}
    failing_saga(function()
      neap.step("s", { run = function() end, undo_retry = { jitter = "none" }, undo = function(cx)
        times[#times + 1] = test.elapsed()
        if cx.attempt < 20 then error("not yet") end
      end })
    end)
    assert.are.equal(20, #times)
    assert.is_near(0.1, times[2] - times[1], 1e-9)
    assert.is_near(300, times[20] - times[19], 1e-6)
  end)

  it("raises what an undo failed with when the others have run", function()
    local log = {}
    local e = failing_saga(function()
      act(log, "one")
      neap.step("two", { run = function() end, undo_retry = { attempts = 2 }, undo = function()
        log[#log + 1] = "try"
        error("stuck", 0)
      end })
    end)
    assert.are.same({ "one", "try", "try", "undo one one! done" }, log)
    assert.are.equal("failed", e.kind)
    assert.are.equal("stuck", e.cause.message)
    assert.are.same({ "the end" }, e.others)
    assert.is_truthy(e.message:find("two", 1, true) and e.message:find("stuck", 1, true))
  end)

  it("bounds each attempt of an undo by the step's timeout", function()
    failing_saga(function()
      neap.step("s", { timeout = "1s", run = function() end, undo_retry = { base = 0 },
        undo = function(cx)
          if cx.attempt == 1 then neap.sleep(math.huge) end
        end })
    end)
    assert.are.equal(1, test.elapsed())
  end)

  it("refuses steps in an undo, and what cannot be called", function()
    local e
    failing_saga(function()
      neap.step("s", { run = function() end, undo = function() e = catch(neap.step, "t", print) end })
    end)
    assert.are.equal("usage", e.kind)
    assert.are.equal("usage", catch(neap.saga, 1).kind)
  end)
end)

describe("a saga that is cancelled", function()
  it("undoes, shielded from what comes later, and is cancelled then", function()
    local log, undone_at = {}, nil
    local _, why = neap.timeout_or("10ms", neap.saga, function()
      neap.step("s", { run = function() log[#log + 1] = "run" end, undo = function()
        neap.sleep("1s")
        undone_at = test.elapsed()
      end })
      neap.sleep(math.huge)
    end)
    assert.are.equal("timeout", why)
    assert.is_near(1.010, undone_at, 1e-9)
  end)

  it("cancels and joins the body of a step, and undoes it then", function()
    local log = {}
    neap.scope(function(s)
      s:spawn(neap.saga, function()
        neap.step("s", {
          run = function()
            local _ <close> = neap.defer(neap.shield, "1s", function()
              neap.sleep("5ms")
              log[#log + 1] = "body left"
            end)
            neap.sleep(math.huge)
          end,
          undo = function(_, result, outcome) log[#log + 1] = ("undo %s %s"):format(result, outcome) end,
        })
      end)
      neap.sleep("10ms")
      s:cancel()
    end)
    assert.are.same({ "body left", "undo nil unknown" }, log)
    assert.are.equal(0.015, test.elapsed())
  end)

  it("knows a step as done whose body ended well in spite of it", function()
    local log, went_on = {}, nil
    neap.timeout_or("10ms", neap.saga, function()
      neap.step("s", {
        run = function()
          neap.raw.pcall(neap.sleep, math.huge)
          return "result"
        end,
        undo = function(_, result, outcome) log[#log + 1] = ("undo %s %s"):format(result, outcome) end,
      })
      went_on = true
    end)
    assert.are.same({ "undo result done" }, log)
    assert.is_nil(went_on)
  end)

  it("does not undo a step that had not begun", function()
    local log = {}
    neap.scope(function(s)
      s:cancel()
      neap.saga(function() act(log, "one") end)
    end)
    assert.are.same({}, log)
  end)

  it("undoes a step that waited for its next attempt", function()
    local log, runs = {}, 0
    neap.timeout_or("10s", neap.saga, function()
      neap.step("s", {
        run = function()
          runs = runs + 1
          error("boom")
        end,
        undo = function(_, _, outcome) log[#log + 1] = outcome end,
        retry = { base = "1m", max = "1m", jitter = "none" },
      })
    end)
    assert.are.equal(1, runs)
    assert.are.same({ "unknown" }, log)
    assert.are.equal(10, test.elapsed())
  end)

  it("raises the failure of an undo rather than its cancellation", function()
    local ok, e = pcall(neap.timeout, "10ms", neap.saga, function()
      neap.step("s", { run = function() end, undo = function() error("stuck", 0) end,
        undo_retry = NO_RETRY })
      neap.sleep(math.huge)
    end)
    assert.is_false(ok)
    assert.are.equal("failed", e.kind)
    assert.are.equal("stuck", e.cause.message)
  end)
end)

describe("the tasks of a scope in a saga", function()
  it("are undone side by side, at the place where the scope was opened", function()
    local log = {}
    local function slow(name, ms)
      neap.step(name, { run = function() end, undo = function()
        neap.sleep(ms / 1000)
        log[#log + 1] = { name, test.elapsed() }
      end })
    end
    failing_saga(function()
      slow("before", 1)
      neap.scope(function(s)
        s:spawn(function()
          slow("a1", 10)
          neap.sleep("1ms")
          slow("a2", 10)
        end)
        s:spawn(slow, "b", 15)
        neap.sleep("1ms")
        slow("body", 1)
      end)
      slow("after", 1)
      test.advance(1 - test.elapsed())
    end)
    local names = {}
    for i, entry in ipairs(log) do names[i] = entry[1] end
    assert.are.same({ "after", "body", "a2", "b", "a1", "before" }, names)
    local expected = { 1.001, 1.002, 1.012, 1.017, 1.022, 1.023 }
    for i, entry in ipairs(log) do assert.is_near(expected[i], entry[2], 1e-9) end
  end)

  it("are undone when one of them fails the scope", function()
    local log = {}
    local e = catch(neap.saga, function()
      neap.all({
        function() act(log, "a") end,
        function()
          neap.sleep("1ms")
          act(log, "b", "lost")
        end,
      })
    end)
    assert.are.equal("lost", e.message)
    table.sort(log)
    assert.are.same({ "a", "b", "undo a a! done", "undo b nil unknown" }, log)
  end)

  it("nest as the scopes do", function()
    local log = {}
    failing_saga(function()
      neap.scope(function(s)
        s:spawn(function()
          act(log, "a")
          neap.scope(function(inner)
            inner:spawn(act, log, "c")
            act(log, "b")
          end)
          act(log, "d")
        end)
      end)
    end)
    assert.are.same({ "a", "b", "c", "d", "undo d d! done", "undo b b! done", "undo c c! done",
      "undo a a! done" }, log)
  end)

  it("belong to the saga also in a scope from outside, and their running steps are awaited", function()
    local log = {}
    neap.scope(function(s)
      failing_saga(function()
        act(log, "one")
        s:spawn(function()
          neap.step("late", {
            run = function()
              neap.sleep("10ms")
              log[#log + 1] = "late"
            end,
            undo = function(_, _, outcome) log[#log + 1] = "undo late " .. outcome end,
          })
          local e = catch(act, log, "later")
          log[#log + 1] = e.kind
        end)
        test.run_until_idle()
      end)
      log[#log + 1] = "left"
    end)
    assert.are.same({ "one", "late", "usage", "undo late done", "undo one one! done", "left" }, log)
  end)
end)

describe("a step in a task that its failing saga did not wait for", function()
  it("has no further attempt, and is undone", function()
    local log = {}
    neap.scope(function(s)
      failing_saga(function()
        s:spawn(pcall, neap.step, "late", {
          run = function(cx)
            log[#log + 1] = "attempt " .. cx.attempt
            neap.sleep("10ms")
            error("again")
          end,
          undo = function(_, _, outcome) log[#log + 1] = "undo " .. outcome end,
        })
        test.run_until_idle()
      end)
    end)
    assert.are.same({ "attempt 1", "undo unknown" }, log)
  end)
end)

describe("an inner saga", function()
  it("that ended well is one entry of the outer one", function()
    local log = {}
    failing_saga(function()
      act(log, "one")
      neap.saga(function()
        act(log, "two")
        act(log, "three")
      end)
      act(log, "four")
    end)
    assert.are.same({ "one", "two", "three", "four", "undo four four! done", "undo three three! done",
      "undo two two! done", "undo one one! done" }, log)
  end)

  it("that failed is undone alone", function()
    local log = {}
    neap.saga(function()
      act(log, "one")
      pcall(neap.saga, function()
        act(log, "two")
        error("inner")
      end)
      act(log, "three")
    end)
    assert.are.same({ "one", "two", "undo two two! done", "three" }, log)
  end)

  it("in a task is undone with the task", function()
    local log = {}
    failing_saga(function()
      neap.scope(function(s)
        s:spawn(function()
          neap.saga(act, log, "one")
          act(log, "two")
        end)
      end)
      act(log, "three")
    end)
    assert.are.same({ "one", "two", "three", "undo three three! done", "undo two two! done",
      "undo one one! done" }, log)
  end)
end)

describe("neap.pivot", function()
  it("drops the undos before it, and keeps those behind it", function()
    local log = {}
    failing_saga(function()
      act(log, "one")
      neap.pivot()
      act(log, "two")
    end)
    assert.are.same({ "one", "two", "undo two two! done" }, log)
  end)

  it("drops those of its own saga only", function()
    local log = {}
    failing_saga(function()
      act(log, "one")
      neap.saga(function()
        act(log, "two")
        neap.pivot()
        act(log, "three")
      end)
    end)
    assert.are.same({ "one", "two", "three", "undo three three! done", "undo one one! done" }, log)
  end)

  it("drops those of the tasks, too", function()
    local log = {}
    failing_saga(function()
      neap.scope(function(s)
        s:spawn(act, log, "one")
        test.run_until_idle()
        neap.pivot()
        s:spawn(act, log, "two")
      end)
    end)
    assert.are.same({ "one", "two", "undo two two! done" }, log)
  end)

  it("shields the saga until it ends; what is pending is raised then", function()
    local log, inside = {}, nil
    local _, why = neap.timeout_or("10ms", function()
      neap.saga(function()
        neap.pivot()
        neap.sleep("20ms")
        act(log, "one")
        inside = neap.cancelled()
      end)
      log[#log + 1] = "not reached"
    end)
    assert.are.equal("timeout", why)
    assert.is_nil(inside)
    assert.are.same({ "one" }, log)
    assert.are.equal(0.020, test.elapsed())
  end)

  it("leaves a scope inside of the saga its own cancellation", function()
    neap.saga(function()
      neap.pivot()
      neap.scope(function(s)
        s:spawn(neap.sleep, math.huge)
        neap.sleep("1ms")
        s:cancel()
      end)
    end)
    assert.are.equal(0.001, test.elapsed())
  end)

  it("has no effect in a cancelled saga", function()
    local log = {}
    neap.scope(function(s)
      neap.saga(function()
        act(log, "one")
        s:cancel()
        neap.pivot()
      end)
    end)
    assert.are.same({ "one", "undo one one! done" }, log)
  end)

  it("raises `usage` outside of a saga, and in a step", function()
    assert.are.equal("usage", catch(neap.pivot).kind)
    local e
    neap.saga(function()
      neap.step("s", function() e = catch(neap.pivot) end)
    end)
    assert.are.equal("usage", e.kind)
  end)
end)

describe("neap.reject", function()
  it("wants a code that is text", function()
    assert.are.equal("usage", catch(neap.reject).kind)
    assert.are.equal("usage", catch(neap.reject, {}).kind)
  end)
end)
