local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised, at_exit, forever = support.raised, support.at_exit, support.forever

describe("a failing task", function()
  it("cancels its siblings and the body, and its error is raised unchanged", function()
    local err, sibling = { "mine" }, nil
    local body = "cut off"
    local got = raised(neap.scope, function(s)
      sibling = s:spawn(forever)
      s:spawn(function()
        neap.sleep(1)
        error(err)
      end)
      forever()
      body = "went on"
    end)
    assert.are.equal(err, got)
    assert.are.equal("cancelled", sibling:status())
    assert.are.equal("cut off", body)
    assert.are.equal(1, test.elapsed())
  end)

  it("fails the scope while that waits to be left", function()
    local got = raised(neap.scope, function(s)
      s:spawn(forever)
      s:spawn(function()
        neap.sleep(1)
        error("boom", 0)
      end)
    end)
    assert.are.equal("boom", got)
  end)

  it("stands in failures with all others, in the order in which they happened", function()
    local scope
    local got = raised(neap.scope, function(s)
      scope = s
      for i = 1, 3 do
        s:spawn(function()
          local _ <close> = at_exit(function()
            neap.shield("5s", function()
              neap.sleep(4 - i)
              error("task " .. i, 0)
            end)
          end)
          neap.sleep(i == 2 and 0 or "1h")
        end)
      end
      neap.sleep("1h")
    end)
    assert.are.equal("task 2", got)
    assert.are.same({ "task 2", "task 3", "task 1" }, scope.failures)
  end)

  it("keeps what failed further in the others of its error object", function()
    local first = require("neap.core.error").new("pay", "no money")
    local scope
    local got = raised(neap.scope, function(s)
      scope = s
      s:spawn(function() error(first) end)
      local _ <close> = at_exit(function() error("of the body", 0) end)
      neap.sleep("1h")
    end)
    assert.are.equal(first, got)
    assert.are.same({ "of the body" }, got.others)
    assert.are.same({ first, "of the body" }, scope.failures)
  end)

  it("leaves in them what its error object brought along", function()
    local got = raised(neap.scope, function(s)
      s:spawn(neap.any, { function() error("one", 0) end, function() error("two", 0) end })
      local _ <close> = at_exit(function() error("of the body", 0) end)
      forever()
    end)
    assert.are.same({ "one", "two", "of the body" }, got.others)
    got = raised(neap.scope, function(s)
      s:spawn(neap.scope, function(inner)
        inner:spawn(error, neap.error("pay", "no money"))
        local _ <close> = at_exit(function() error("inside", 0) end)
        forever()
      end)
      local _ <close> = at_exit(function() error("outside", 0) end)
      forever()
    end)
    assert.are.same({ "inside", "outside" }, got.others)
  end)

  it("counts the body's own error, when that comes first", function()
    local scope
    local got = raised(neap.scope, function(s)
      scope = s
      s:spawn(function()
        local _ <close> = at_exit(function() error("second", 0) end)
        forever()
      end)
      neap.sleep(1)
      error("first", 0)
    end)
    assert.are.equal("first", got)
    assert.are.same({ "first", "second" }, scope.failures)
  end)

  it("does not let the body catch the error by await: that raises the cancellation", function()
    local seen
    local got = raised(neap.scope, function(s)
      local task = s:spawn(function() error("boom", 0) end)
      local ok, err = neap.raw.pcall(task.await, task)
      assert.is_false(ok)
      seen = err
    end)
    assert.are.equal("boom", got)
    assert.are.equal("cancelled", seen.kind)
    assert.are.equal("failed", seen.reason.kind)
    assert.truthy(seen.message:find("guard", 1, true))
    assert.truthy(seen.message:find("outcome", 1, true))
  end)

  it("raises its own error where it is awaited outside of its failing scope", function()
    local task, got
    neap.scope(function(outer)
      outer:spawn(pcall, neap.scope, function(s)
        task = s:spawn(function()
          neap.sleep(1)
          error("boom", 0)
        end)
      end)
      test.run_until_idle()
      got = raised(task.await, task)
    end)
    assert.are.equal("boom", got)
  end)

  it("is not caught by pcall in the body of its scope", function()
    local swallowed = false
    local got = raised(neap.scope, function(s)
      local task = s:spawn(function() error("boom", 0) end)
      pcall(task.await, task)
      swallowed = true
    end)
    assert.are.equal("boom", got)
    assert.is_false(swallowed)
  end)

  it("fails the scope by its first error only, however deep", function()
    local got = raised(neap.scope, function(s)
      s:spawn(function()
        neap.scope(function(inner)
          inner:spawn(function() error("deep", 0) end)
          forever()
        end)
      end)
      forever()
    end)
    assert.are.equal("deep", got)
  end)

  it("may raise any value but gives it on as it is", function()
    for _, value in ipairs({ 42, true, print, { 1 } }) do
      assert.are.equal(value, raised(neap.scope, function(s)
        s:spawn(function() error(value) end)
      end))
    end
    assert.is_nil((select(2, pcall(neap.scope, function(s) s:spawn(function() error(nil) end) end))))
  end)

  it("is whose its error says", function()
    local err = raised(neap.scope, function(s)
      s:spawn({ name = "payer" }, function() neap.sleep(-1, neap.sleep("soon")) end)
    end)
    assert.are.equal("usage", err.kind)
    assert.are.equal("payer", err.task)
    assert.truthy(err.traceback:find("spawned at [^\n]*scope_failure_spec.lua:%d+"))
  end)
end)

describe("a guarded task", function()
  it("that fails leaves the others alone; who awaits it gets the error", function()
    neap.scope(function(s)
      local sibling = s:spawn(function()
        neap.sleep(2)
        return "fine"
      end)
      local bad = s:spawn({ guard = true }, function()
        neap.sleep(1)
        error("bad", 0)
      end)
      local ok, err = bad:outcome()
      assert.is_false(ok)
      assert.are.equal("bad", err)
      assert.are.equal("failed", bad:status())
      assert.are.equal("fine", sibling:await())
      assert.are.equal(0, #s.failures)
    end)
  end)

  it("raises its own error from await, and pcall catches that", function()
    neap.scope(function(s)
      local bad = s:spawn({ guard = true }, error, "bad", 0)
      assert.are.equal("bad", raised(bad.await, bad))
    end)
  end)

  it("that fails and is awaited by nobody fails the scope on leaving", function()
    local finished = false
    local got = raised(neap.scope, function(s)
      s:spawn({ guard = true }, function() error("unheard", 0) end)
      neap.sleep(1)
      finished = true
    end)
    assert.are.equal("unheard", got)
    assert.is_true(finished)
  end)

  it("is the first of several that fails the scope", function()
    local got = raised(neap.scope, function(s)
      for i = 3, 1, -1 do
        s:spawn({ guard = true }, function()
          neap.sleep(i)
          error("of " .. i, 0)
        end)
      end
    end)
    assert.are.equal("of 1", got)
  end)

  it("is heard of by whom awaits it later", function()
    for _, method in ipairs({ "await", "outcome", "join" }) do
      neap.scope(function(s)
        local bad = s:spawn({ guard = true }, error, "bad", 0)
        neap.sleep(1)
        pcall(bad[method], bad)
      end)
    end
  end)

  it("is heard of by await, outcome, result, an arm of a select and a join", function()
    for _, hear in ipairs({
      function(task) pcall(task.await, task) end,
      function(task) task:outcome() end,
      function(task) neap.select { task:on_await(), neap.after(1) } end,
      function(task) pcall(neap.select, { neap.after(1), task:on_await() }) end,
      function(task) neap.settle { task } end,
      function(task) neap.any { task, function() neap.sleep(1) end } end,
      function(task) neap.sleep(1) task:result() end,
    }) do
      local heard = neap.scope(function(s)
        pcall(hear, s:spawn({ guard = true }, error, "bad", 0))
        return "heard of"
      end)
      assert.are.equal("heard of", heard)
    end
  end)

  it("is not heard of by whoever gave up waiting, nor by a result that was not there yet", function()
    for _, give_up in ipairs({
      function(task) neap.timeout_or(1, task.await, task) end,
      function(task) neap.timeout_or(1, task.outcome, task) end,
      function(task) neap.timeout_or(1, task.join, task) end,
      function(task) neap.select { task:on_await(), neap.after(1) } end,
      function(task) task:result() end,
    }) do
      assert.are.equal("late", raised(neap.scope, function(s)
        give_up(s:spawn({ guard = true }, function()
          neap.sleep(2)
          error("late", 0)
        end))
      end))
    end
  end)

  it("is heard of by task:join, not by s:join", function()
    neap.scope(function(s)
      s:spawn({ guard = true }, error, "bad", 0):join()
    end)
    assert.are.equal("bad", raised(neap.scope, function(s)
      s:spawn({ guard = true }, error, "bad", 0)
      s:join()
    end))
  end)

  it("is not kept once somebody has heard of it, however many they are", function()
    local left = setmetatable({}, { __mode = "k" })
    neap.scope(function(s)
      for _ = 1, 1000 do
        local task = s:spawn({ guard = true }, error, "handled")
        left[task] = true
        task:outcome()
      end
      collectgarbage()
      collectgarbage()
      local count = 0
      for _ in pairs(left) do count = count + 1 end
      assert.is_true(count < 10, count .. " tasks are kept")
    end)
  end)

  it("gives way to another error of the scope", function()
    assert.are.equal("of the body", raised(neap.scope, function(s)
      s:spawn({ guard = true }, error, "unheard", 0)
      neap.sleep(1)
      error("of the body", 0)
    end))
  end)

  it("is raised rather than a cancellation from outside", function()
    local task
    neap.scope(function(s)
      task = s:spawn({ guard = true }, neap.scope, function(inner)
        inner:spawn({ guard = true }, error, "unheard", 0)
        forever()
      end)
      test.run_until_idle()
      task:cancel()
      task:join()
    end)
    assert.are.same({ false, "unheard" }, { task:result() })
  end)

  it("is raised rather than a cancelled of the scope's own", function()
    assert.are.equal("unheard", raised(function()
      local s <close> = neap.scope()
      s:spawn({ guard = true }, error, "unheard", 0)
      neap.sleep(1)
      s:cancel()
      neap.sleep(1)
    end))
  end)
end)

describe("the failures of a scope", function()
  it("are a copy, which decides nothing", function()
    local scope, before
    local ok, err = pcall(neap.scope, function(s)
      scope = s
      local _ <close> = neap.defer(function()
        before = s.failures
        before[1], before[2] = "forged", "added"
        assert.are.same({ "no stock" }, s.failures)
      end)
      s:spawn(error, "no stock", 0)
      neap.sleep(1)
    end)
    assert.is_false(ok)
    assert.are.equal("no stock", err)
    assert.are.same({ "forged", "added" }, before)

    scope.failures[1] = nil
    assert.are.same({ "no stock" }, scope.failures)
  end)

  it("are those until now: a list that was taken does not grow", function()
    local scope, early
    pcall(neap.scope, function(s)
      scope = s
      early = s.failures
      s:spawn(error, "no stock", 0)
    end)
    assert.are.same({}, early)
    assert.are.same({ "no stock" }, scope.failures)
  end)
end)
