local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local catch = support.raised

local NO_RETRY = { attempts = 1 }

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
    assert.is_truthy(e.traceback:find("step_spec", 1, true))
  end)

  it("raises an error object as it is", function()
    local mine = neap.error("mine", "m", { code = "E1" })
    assert.are.equal(mine, catch(neap.step, "s", { retry = NO_RETRY }, function() error(mine) end))
    assert.are.equal("mine: m", tostring(mine))
  end)

  it("says in the error that it was, and after how many attempts", function()
    local e = catch(neap.step, "charge", { retry = { attempts = 3 } }, function() error("busy") end)
    assert.are.same({ name = "charge", attempts = 3 }, e.step)
    e = catch(neap.step, "charge", function() neap.reject("no") end)
    assert.are.same({ name = "charge", attempts = 1 }, e.step)
    e = catch(neap.step, "charge", { retry = { on = error } }, function() error("busy", 0) end)
    assert.are.same({ name = "charge", attempts = 1 }, e.step)
    e = catch(neap.saga, { undo_retry = { attempts = 2 } }, function()
      neap.step("charge", { run = function() end, undo = function() error("busy") end })
      neap.reject("no")
    end)
    assert.are.same({ name = "charge", attempts = 2, undo = true }, e.cause.step)
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
    assert.matches("a string; got an empty one", catch(neap.step, "", print).message, 1, true)
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

  it("are not made of a mistake in the code, unless `on` says so", function()
    for kind, mistake in pairs({
      usage = function() neap.sleep("soon") end,
      structure = function()
        neap.scope(function(s) s:start(type) end)
      end,
    }) do
      local times, ok, e = begun({}, mistake)
      assert.are.equal(1, #times)
      assert.is_false(ok)
      assert.are.equal(kind, e.kind)
      times = begun({ retry = { attempts = 3, on = function() return true end } }, mistake)
      assert.are.equal(3, #times)
    end
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

describe("neap.reject", function()
  it("wants a code that is text", function()
    assert.are.equal("usage", catch(neap.reject).kind)
    assert.are.equal("usage", catch(neap.reject, {}).kind)
  end)

  it("says to people what the detail says, if that is text", function()
    local e = catch(neap.reject, "card_expired", "the card ended in 12/25")
    assert.are.equal("rejected: card_expired: the card ended in 12/25", tostring(e))
    assert.are.equal("card_expired", e.code)
    assert.are.equal("the card ended in 12/25", e.data)
    assert.are.equal("rejected: no_stock", tostring(catch(neap.reject, "no_stock", { sku = 12 })))
    assert.are.equal("rejected: no_stock", tostring(catch(neap.reject, "no_stock")))
  end)
end)
