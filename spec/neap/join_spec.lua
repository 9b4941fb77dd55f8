local neap = require("neap")
local test = require("neap.test")

-- A function that takes `ms`, then returns its values.
local function after(ms, ...)
  local values = table.pack(...)
  return function()
    neap.sleep(ms / 1000)
    return table.unpack(values, 1, values.n)
  end
end

local function fail_after(ms, err)
  return function()
    neap.sleep(ms / 1000)
    error(err, 0)
  end
end

local function kind_of(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  return e.kind, e
end

-- A function that waits, and notes when it was cancelled.
local function cancellable(log)
  return function()
    local _ <close> = neap.defer(function() log[#log + 1] = test.elapsed() end)
    neap.sleep(math.huge)
  end
end

describe("neap.all", function()
  it("runs side by side and returns first values in the order given", function()
    local a, b, c = neap.all({ after(20, "a", "more"), after(10), after(30, "c") })
    assert.are.equal("a", a)
    assert.is_nil(b)
    assert.are.equal("c", c)
    assert.are.equal(0.030, test.elapsed())
  end)

  it("takes tasks, too, also those that have ended", function()
    neap.scope(function(s)
      local ended = s:spawn(after(0, "ended"))
      ended:join()
      local a, b = neap.all({ s:spawn(after(10, "task")), ended })
      assert.are.equal("task", a)
      assert.are.equal("ended", b)
    end)
  end)

  it("starts a lazy task", function()
    neap.scope(function(s)
      assert.are.equal("lazy", (neap.all({ s:spawn({ lazy = true }, after(1, "lazy")) })))
    end)
  end)

  it("is empty of nothing", function()
    assert.are.equal(0, select("#", neap.all({})))
  end)

  it("raises the first error, the same value, and has cancelled and joined the rest", function()
    for i, mine in ipairs({ neap.error("mine", "m"), "a text" }) do
      local log = {}
      local _, e = kind_of(neap.all, { cancellable(log), fail_after(10, mine), after(20) })
      assert.are.equal(mine, e)
      assert.are.same({ i * 0.010 }, log)
      assert.are.equal(i * 0.010, test.elapsed())
    end
  end)

  it("waits for the cleanup of those it cancels", function()
    assert.has_error(function()
      neap.all({ fail_after(10, "boom"), function()
        local _ <close> = neap.defer(neap.shield, "1s", neap.sleep, "50ms")
        neap.sleep(math.huge)
      end })
    end, "boom")
    assert.are.equal(0.060, test.elapsed())
  end)

  it("cancels and joins losing tasks of another scope", function()
    neap.scope(function(s)
      local log = {}
      local loser = s:spawn(cancellable(log))
      assert.has_error(function() neap.all({ loser, fail_after(10, "boom") }) end, "boom")
      assert.are.same({ 0.010 }, log)
      assert.are.equal("cancelled", loser:status())
    end)
  end)

  it("raises an ordinary error if a task was cancelled by somebody", function()
    neap.scope(function(s)
      local task = s:spawn(neap.sleep, math.huge)
      s:spawn(function()
        neap.sleep("10ms")
        task:cancel()
      end)
      assert.are.equal("cancelled", (kind_of(neap.all, { task })))
      assert.are.equal(0.010, test.elapsed())
    end)
  end)

  it("does not keep an unguarded task from failing its own scope", function()
    local caught
    local ok, e = pcall(neap.scope, function(s)
      local task = s:spawn(fail_after(10, "boom"))
      caught = table.pack(pcall(neap.all, { task }))
    end)
    assert.is_false(ok)
    assert.are.equal("boom", e)
    assert.is_nil(caught)       -- the cancellation went through pcall
  end)

  it("cancels its functions when it is cancelled, and leaves tasks of others alone", function()
    neap.scope(function(s)
      local log = {}
      local other = s:spawn(after(50, "well"))
      local _, why = neap.timeout_or("10ms", neap.all, { cancellable(log), other })
      assert.are.equal("timeout", why)
      assert.are.same({ 0.010 }, log)
      assert.are.equal("well", other:await())
    end)
  end)

  it("refuses what is neither function nor task", function()
    assert.are.equal("usage", (kind_of(neap.all, { 1 })))
    assert.are.equal("usage", (kind_of(neap.all, "f")))
  end)
end)

describe("neap.any", function()
  it("returns the first success and cancels the rest", function()
    local log = {}
    assert.are.equal("b", neap.any({ fail_after(5, "a"), after(10, "b"), cancellable(log) }))
    assert.are.same({ 0.010 }, log)
    assert.are.equal(0.010, test.elapsed())
  end)

  it("goes on with nothing when one has succeeded at once", function()
    local ran
    assert.are.equal(1, neap.any({ function() return 1 end, function()
      neap.sleep(0)
      ran = true
    end }))
    assert.is_nil(ran)
  end)

  it("raises `failed` with every error in the order given", function()
    local kind, e = kind_of(neap.any, { fail_after(10, "a"), fail_after(5, "b") })
    assert.are.equal("failed", kind)
    assert.are.same({ "a", "b" }, e.others)
    assert.are.equal(0.010, test.elapsed())
  end)

  it("counts an error nil as any other", function()
    for _, join in ipairs({ neap.any, function(list) return neap.quorum(1, list) end }) do
      local kind, e = kind_of(join, { fail_after(20, "first"), fail_after(10), fail_after(30, false) })
      assert.are.equal("failed", kind)
      assert.are.equal(3, #e.others)
      assert.are.equal("first", e.others[1])
      assert.are.equal("nil was raised", e.others[2].message)
      assert.is_false(e.others[3])
      assert.matches(": 3 of 3 failed, the first of them: first$", e.message)
    end
  end)

  it("takes guarded tasks and cancels those that lose", function()
    neap.scope(function(s)
      local bad = s:spawn({ guard = true }, fail_after(5, "bad"))
      local slow = s:spawn({ guard = true }, neap.sleep, math.huge)
      assert.are.equal("won", neap.any({ bad, slow, after(10, "won") }))
      assert.are.equal("cancelled", slow:status())
    end)
  end)

  it("can succeed with nil", function()
    assert.is_nil(neap.any({ fail_after(1, "x"), after(2) }))
  end)

  it("raises `usage` of nothing", function()
    assert.are.equal("usage", (kind_of(neap.any, {})))
  end)

  it("keeps a success that came in the same turn as its deadline", function()
    assert.are.equal("v", neap.timeout("10ms", neap.any, { after(10, "v") }))
  end)
end)

describe("neap.race", function()
  it("returns what the first to end returned", function()
    assert.are.equal("b", neap.race({ after(20, "a"), after(10, "b", "c") }))
    assert.are.equal(0.010, test.elapsed())
  end)

  it("raises what the first to end raised, the same value", function()
    for i, mine in ipairs({ {}, "a text" }) do
      local log = {}
      local ok, e = pcall(neap.race, { fail_after(10, mine), cancellable(log) })
      assert.is_false(ok)
      assert.are.equal(mine, e)
      assert.are.same({ i * 0.010 }, log)
    end
  end)

  it("cancels a losing task of another scope and joins it", function()
    neap.scope(function(s)
      local loser = s:spawn(function()
        local _ <close> = neap.defer(neap.shield, "1s", neap.sleep, "20ms")
        neap.sleep(math.huge)
      end)
      assert.are.equal("w", neap.race({ loser, after(10, "w") }))
      assert.are.equal("cancelled", loser:status())
      assert.are.equal(0.030, test.elapsed())
    end)
  end)

  it("raises `usage` of nothing", function()
    assert.are.equal("usage", (kind_of(neap.race, {})))
  end)
end)

describe("neap.quorum", function()
  it("returns the first successes in the order in which they were given", function()
    local log = {}
    local list = neap.quorum(2, { after(20, "a"), fail_after(5, "x"), after(10, "c"),
      cancellable(log) })
    assert.are.same({ "a", "c" }, list)
    assert.are.equal(0.020, test.elapsed())
    assert.are.same({ 0.020 }, log)
  end)

  it("raises `failed` as soon as it cannot be reached, with the errors in order", function()
    local log = {}
    local kind, e = kind_of(neap.quorum, 2, { fail_after(10, "a"), cancellable(log),
      fail_after(5, "c") })
    assert.are.equal("failed", kind)
    assert.are.same({ "a", "c" }, e.others)
    assert.are.equal(0.010, test.elapsed())
    assert.are.same({ 0.010 }, log)
  end)

  it("is empty of none, and runs nothing", function()
    assert.are.same({}, neap.quorum(0, { function() error("ran") end }))
    assert.are.same({}, neap.quorum(0, {}))
  end)

  it("raises `usage` for a count that cannot be", function()
    assert.are.equal("usage", (kind_of(neap.quorum, 2, { after(1) })))
    assert.are.equal("usage", (kind_of(neap.quorum, -1, { after(1) })))
    assert.are.equal("usage", (kind_of(neap.quorum, 1.5, { after(1) })))
  end)
end)

describe("neap.settle", function()
  it("tells how each ended, and raises nothing", function()
    assert.are.same({ { ok = true, value = "a" }, { ok = false, err = "boom" }, { ok = true } },
      neap.settle({ after(10, "a", "b"), fail_after(5, "boom"), after(1) }))
    assert.are.equal(0.010, test.elapsed())
  end)

  it("tells of a cancelled task by an error of kind `cancelled`", function()
    neap.scope(function(s)
      local task = s:spawn(neap.sleep, math.huge)
      task:cancel()
      local settled = neap.settle({ task })
      assert.is_false(settled[1].ok)
      assert.are.equal("cancelled", settled[1].err.kind)
    end)
  end)

  it("is empty of nothing", function()
    assert.are.same({}, neap.settle({}))
  end)
end)

describe("neap.map", function()
  it("calls the function for each item and keeps the order of the items", function()
    local list = neap.map({ 3, 1, 2 }, function(n)
      neap.sleep(n / 100)
      return n * 10, "more"
    end)
    assert.are.same({ 30, 10, 20 }, list)
    assert.are.equal(0.030, test.elapsed())
  end)

  it("passes the item and nothing else", function()
    local count
    neap.map({ "x" }, function(...) count = select("#", ...) end)
    assert.are.equal(1, count)
  end)

  it("runs at most `limit` at once", function()
    local running, peak = 0, 0
    neap.map({ 1, 2, 3, 4, 5 }, function()
      running = running + 1
      peak = math.max(peak, running)
      neap.sleep("10ms")
      running = running - 1
    end, { limit = 2 })
    assert.are.equal(2, peak)
    assert.are.equal(0.030, test.elapsed())
  end)

  it("raises the first error, cancels what runs and begins nothing further", function()
    local begun, log = 0, {}
    assert.has_error(function()
      neap.map({ 1, 2, 3, 4 }, function(n)
        begun = begun + 1
        if n == 1 then fail_after(10, "boom")() end
        cancellable(log)()
      end, { limit = 2 })
    end, "boom")
    assert.are.equal(2, begun)
    assert.are.same({ 0.010 }, log)
  end)

  it("begins nothing further in a scope that is cancelled", function()
    local begun = 0
    neap.scope(function(s)
      s:spawn(neap.map, { 1, 2, 3 }, function()
        begun = begun + 1
        neap.raw.pcall(neap.sleep, math.huge)
      end, { limit = 1 })
      test.run_until_idle()
      s:cancel()
    end)
    assert.are.equal(1, begun)
  end)

  it("refuses a wrong limit, an unknown option and what is no list", function()
    assert.are.equal("usage", (kind_of(neap.map, { 1 }, print, { limit = 0 })))
    assert.are.equal("usage", (kind_of(neap.map, 1, print)))
    assert.are.equal("usage", (kind_of(neap.map, { 1 }, 1)))
    local kind, e = kind_of(neap.map, { 1 }, print, { limits = 2 })
    assert.are.equal("usage", kind)
    assert.is_truthy(e.message:find('did you mean "limit"', 1, true))
  end)
end)

describe("a join whose caller is cancelled", function()
  for name, begin in pairs({
    all = neap.all, any = neap.any, race = neap.race, settle = neap.settle,
    quorum = function(list) return neap.quorum(1, list) end,
    map = function(list) return neap.map(list, function(fn) fn() end) end,
  }) do
    it("cancels and joins what it runs: " .. name, function()
      local log = {}
      local _, why = neap.timeout_or("10ms", begin, { cancellable(log), cancellable(log) })
      assert.are.equal("timeout", why)
      assert.are.same({ 0.010, 0.010 }, log)
    end)
  end
end)

describe("joins", function()
  local function loser()
    local _ <close> = neap.defer(error, "cleanup", 0)
    neap.sleep("1s")
  end

  it("keep what losers raise in the others of the error that decided", function()
    local mine = neap.error("mine", "first")
    for _, join in ipairs({ neap.all, function(list) neap.map(list, function(fn) fn() end) end }) do
      mine.others = nil
      assert.are.equal(mine, select(2, kind_of(join, { fail_after(1, mine), loser })))
      assert.are.same({ "cleanup" }, mine.others)
    end
  end)

  it("are decided by those that end first, whatever losers raise", function()
    for _, join in ipairs({ neap.any, neap.race, function(list) return neap.quorum(1, list)[1] end }) do
      assert.are.equal("first", join({ after(1, "first"), loser }))
    end
  end)
end)

describe("a join in a scope that is cancelled", function()
  it("raises the cancellation and runs nothing", function()
    local function no() error("was run") end
    local joins = {
      function() return neap.all { no } end,
      function() return neap.all {} end,
      function() return neap.any { no } end,
      function() return neap.race { no } end,
      function() return neap.quorum(1, { no }) end,
      function() return neap.quorum(0, {}) end,
      function() return neap.settle { no } end,
      function() return neap.map({ 1 }, no) end,
    }
    local seen = 0
    neap.scope(function(s)
      s:cancel()
      for i, join in ipairs(joins) do
        local ok, err = neap.raw.pcall(join)
        assert(not ok and neap.is_cancelled(err), "join " .. i)
        seen = seen + 1
      end
    end)
    assert.are.equal(#joins, seen)
  end)
end)
