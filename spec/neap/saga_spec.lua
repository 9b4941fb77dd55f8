local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local catch = support.raised

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

local function failing_saga(fn)
  return catch(neap.saga, function()
    fn()
    error("the end", 0)
  end)
end

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

  it("gives an undo what its step returned first, also false and nil", function()
    local seen = {}
    failing_saga(function()
      for _, value in ipairs({ { "v", 2, n = 2 }, { false, 2, n = 2 }, { n = 0 } }) do
        neap.step("act", {
          run = function() return table.unpack(value, 1, value.n) end,
          undo = function(_, result, outcome) seen[#seen + 1] = ("%s %s"):format(result, outcome) end,
        })
      end
    end)
    assert.are.same({ "nil done", "false done", "v done" }, seen)
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

  it("does not undo a step whose body was rejected in spite of it", function()
    local log, err = {}, nil
    local task
    neap.scope(function(s)
      task = s:spawn({ guard = true }, neap.saga, function()
        act(log, "one")
        neap.step("two", {
          run = function()
            neap.raw.pcall(neap.sleep, math.huge)
            neap.reject("sold_out")
          end,
          undo = function() log[#log + 1] = "undo two" end,
        })
      end)
      neap.sleep(1)
      task:cancel()
      err = select(2, task:outcome())
    end)
    assert.are.equal("sold_out", err.code)
    assert.are.same({ "one", "undo one one! done" }, log)
  end)

  it("undoes when a deadline ends it, around it or inside", function()
    for _, ended in ipairs({
      function(fn) neap.timeout(1, neap.saga, fn) end,
      function(fn) neap.saga(neap.scope, { deadline = 1 }, fn) end,
    }) do
      local log = {}
      local err = catch(ended, function()
        act(log, "one")
        neap.sleep(math.huge)
      end)
      assert.are.equal("timeout", err.kind)
      assert.are.same({ "one", "undo one one! done" }, log)
    end
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

describe("the options of neap.saga", function()
  local ONCE_AGAIN = { attempts = 2, base = "1s", jitter = "none" }

  -- How often a step with these options is run, and undone, until both give up.
  local function count(opts)
    local runs, undos = 0, 0
    opts.run = function() runs = runs + 1 error("down", 0) end
    opts.undo = function() undos = undos + 1 error("down", 0) end
    return function() neap.step("one", opts) end, function() return { runs, undos } end
  end

  it("gives its options to the steps that do not say otherwise", function()
    local step, counts = count({})
    catch(neap.saga, { retry = ONCE_AGAIN, undo_retry = { attempts = 3 } }, step)
    assert.are.same({ 2, 3 }, counts())
    step, counts = count({ retry = { attempts = 1 }, undo_retry = { attempts = 4 } })
    catch(neap.saga, { retry = ONCE_AGAIN, undo_retry = { attempts = 3 } }, step)
    assert.are.same({ 1, 4 }, counts())
    step, counts = count({ once = true })
    catch(neap.saga, { retry = ONCE_AGAIN, undo_retry = { attempts = 1 } }, step)
    assert.are.same({ 1, 1 }, counts())
  end)

  it("gives its timeout to each attempt of a step", function()
    local err = catch(neap.saga, { timeout = "2s", retry = NO_RETRY }, function()
      neap.step("slow", function() neap.sleep("1m") end)
    end)
    assert.are.same({ "timeout", 2.0 }, { err.kind, test.elapsed() })
  end)

  it("gives its options to the steps of sagas inside, but for what those set", function()
    local step, counts = count({})
    catch(neap.saga, { retry = ONCE_AGAIN, undo_retry = { attempts = 3 } }, neap.saga, { retry = NO_RETRY }, step)
    assert.are.same({ 1, 3 }, counts())
  end)

  it("passes arguments on, and refuses what is no option", function()
    assert.are.equal(3, neap.saga({}, function(a, b) return a + b end, 1, 2))
    for message, opts in pairs({
      ['neap.saga: unknown option "retrys"; did you mean "retry"?'] = { retrys = {} },
      ['neap.saga: retry: unknown option "atempts"; did you mean "attempts"?'] = { retry = { atempts = 1 } },
      ["neap.saga: retry: attempts: a whole number from 1 expected, got 0"] = { retry = { attempts = 0 } },
    }) do
      local err = catch(neap.saga, opts, function() end)
      assert.are.equal("usage", err.kind)
      assert.is_truthy(err.message:find(message, 1, true), err.message)
    end
    assert.are.equal("usage", catch(neap.saga, {}).kind)
  end)
end)
