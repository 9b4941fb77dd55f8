local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised, at_exit, forever = support.raised, support.at_exit, support.forever

describe("opening a scope", function()
  it("in a cancelled one gives one that is cancelled from the start", function()
    local ran = false
    neap.scope(function(s)
      s:cancel()
      local task
      do
        local ok = neap.raw.pcall(function()
          neap.scope(function(inner) task = inner:spawn(function() ran = true end) end)
        end)
        assert.is_true(ok)
      end
      assert.are.equal("cancelled", task:status())
    end)
    assert.is_false(ran)
  end)

  it("passes further arguments to the body, after the scope", function()
    local got = neap.scope({ name = "x" }, function(s, ...) return { s.name, ... } end, 1, 2)
    assert.are.same({ "x", 1, 2 }, got)
  end)

  it("refuses an unknown option and suggests the nearest", function()
    local err = raised(neap.scope, { dedline = 1 }, function() end)
    assert.are.equal("usage", err.kind)
    assert.truthy(err.message:find("deadline", 1, true))
  end)

  it("refuses a body that cannot be called", function()
    assert.are.equal("usage", raised(neap.scope, 42).kind)
  end)

  it("blames the line of the caller", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = raised(function() neap.scope({ nme = "x" }, function() end) end)
    assert.truthy(err.message:find("scope_spec.lua:" .. line .. ":", 1, true))
  end)

  it("takes a callable table for a body", function()
    local body = setmetatable({}, { __call = function(_, _, x) return x end })
    assert.are.equal(7, neap.scope(body, 7))
  end)
end)

describe("leaving a scope", function()
  it("waits for its tasks", function()
    local done = 0
    do
      local s <close> = neap.scope()
      for i = 1, 3 do
        s:spawn(function()
          neap.sleep(i)
          done = done + 1
        end)
      end
    end
    assert.are.equal(3, done)
    assert.are.equal(3, test.elapsed())
  end)

  it("waits in the function form, too, and returns what the body returned", function()
    local done = false
    local a, b, c = neap.scope(function(s)
      s:spawn(function()
        neap.sleep(1)
        done = true
      end)
      return 1, nil, 3
    end)
    assert.are.same({ 1, nil, 3 }, { a, b, c })
    assert.is_true(done)
  end)

  it("waits for tasks that tasks spawned into it", function()
    local depth = 0
    neap.scope(function(s)
      local function dive(n)
        depth = n
        neap.sleep(1)
        if n < 5 then s:spawn(dive, n + 1) end
      end
      s:spawn(dive, 1)
    end)
    assert.are.equal(5, depth)
    assert.are.equal(5, test.elapsed())
  end)

  it("by an error cancels the tasks, waits for them, and raises the error", function()
    local cleaned = false
    local err = raised(function()
      local s <close> = neap.scope()
      s:spawn(function()
        local _ <close> = at_exit(function()
          neap.shield("5s", neap.sleep, 2)
        end)
        local _ <close> = at_exit(function() cleaned = true end)
        neap.sleep("1h")
      end)
      neap.sleep(1)
      error("boom", 0)
    end)
    assert.are.equal("boom", err)
    assert.is_true(cleaned)
    assert.are.equal(3, test.elapsed())
  end)

  it("by a cancellation cancels the tasks and waits for them", function()
    local inner
    local ok, why = neap.timeout_or("1s", function()
      local s <close> = neap.scope()
      inner = s:spawn(neap.sleep, "1h")
      neap.sleep("1h")
    end)
    assert.is_nil(ok)
    assert.are.equal("timeout", why)
    assert.are.equal("cancelled", inner:status())
    assert.are.equal(1, test.elapsed())
  end)

  it("raises a cancellation from outside once the tasks that it waits for have ended", function()
    local after = false
    local s <close> = neap.scope()
    local outer = s:spawn(function()
      neap.scope(function(inner)
        inner:spawn(function()
          local _ <close> = at_exit(function() neap.shield("5s", neap.sleep, 2) end)
          neap.sleep("1h")
        end)
      end)
      after = true
    end)
    s:spawn(function()
      neap.sleep(1)
      outer:cancel()
    end)
    outer:join()
    assert.are.equal("cancelled", outer:status())
    assert.is_false(after)
    assert.are.equal(3, test.elapsed())
  end)

  it("can be done by hand, once or more often", function()
    local done = false
    local s = neap.scope()
    s:spawn(function()
      neap.sleep(1)
      done = true
    end)
    s:close()
    assert.is_true(done)
    s:close()
    assert.are.equal(1, test.elapsed())
  end)

  it("is for the task that opened it only", function()
    local s <close> = neap.scope()
    local task = s:spawn({ guard = true }, function() s:close() end)
    local ok, err = task:outcome()
    assert.is_false(ok)
    assert.are.equal("usage", err.kind)
  end)
end)

describe("scopes that are left out of order", function()
  it("cancel and join the inner ones and raise structure", function()
    local inner_task
    local err = raised(neap.scope, function()
      local inner = neap.scope()
      inner_task = inner:spawn(forever)
      neap.sleep(1)
    end)
    assert.are.equal("structure", err.kind)
    assert.are.equal("cancelled", inner_task:status())
  end)

  it("whose function has not ended raise it, too, and what is open around them stays", function()
    local function enclosed(close_inside)
      return neap.scope(function(outer)
        local sibling = outer:spawn(neap.sleep, "1s")
        local s = neap.scope()
        s:spawn(neap.sleep, "10ms")
        local err = raised(close_inside, s)
        assert.are.equal("structure", err.kind)
        neap.scope(function(after) after:spawn(neap.yield) end)
        assert.is_nil(neap.cancelled())
        assert.are.equal("waiting", sibling:status())
        return err.message
      end)
    end
    local closed = "a scope was left before one that was opened inside it"
    local left = "a scope, timeout or shield was left before its function had ended"
    assert.matches(closed, enclosed(function(s) neap.timeout("5s", s.close, s) end), 1, true)
    assert.matches(closed, enclosed(function(s) neap.shield("5s", s.close, s) end), 1, true)
    assert.matches(closed, enclosed(function(s) neap.scope(function() s:close() end) end), 1, true)
    for _, form in ipairs({ neap.scope, function(fn) return neap.timeout("5s", fn) end,
                            function(fn) return neap.shield("5s", fn) end }) do
      assert.matches(left, enclosed(function(s)
        form(function()
          pcall(s.close, s)
          neap.scope(function() neap.timeout("1s", neap.yield) end)
        end)
      end), 1, true)
      assert.are.equal("mine", raised(form, function()
        local s = neap.scope()
        pcall(neap.timeout, "1s", s.close, s)
        error("mine", 0)
      end))
    end
  end)

  it("have what failed in the inner one as the cause", function()
    local function cause(spawn_options, body)
      local err = raised(neap.scope, function()
        neap.scope():spawn(spawn_options, error, "lost", 0)
        body()
      end)
      assert.are.equal("structure", err.kind)
      return err.cause
    end
    local function collect()
      neap.yield()
      collectgarbage()
    end
    assert.are.equal("lost", cause({}, function() neap.sleep(1) end))
    assert.are.equal("lost", cause({ guard = true }, collect))
    assert.are.equal("lost", cause({}, function()       -- of two, the innermost that is left
      neap.raw.pcall(neap.yield)
      neap.scope()
    end))
  end)

  it("have no cause when nothing failed, or somebody has awaited it", function()
    local err = raised(neap.scope, function()
      local inner = neap.scope()
      inner:spawn({ guard = true }, error, "heard"):outcome()
    end)
    assert.are.equal("structure", err.kind)
    assert.is_nil(err.cause)
  end)

  describe("by the end of a task", function()
    local function ended(body)
      local s <close> = neap.scope()
      local ok, err = s:spawn({ guard = true }, body):outcome()
      assert.is_false(ok)
      return err
    end

    local function fail_in(scope, err)
      scope:spawn(error, err, 0)
      neap.sleep(1) -- cancelled by that
    end

    it("fail it, with what failed in them as the cause", function()
      local err = ended(function() fail_in(neap.scope(), "lost") end)
      assert.are.equal("structure", err.kind)
      assert.are.equal("lost", err.cause)
      assert.matches("a task ended with an open scope", err.message, 1, true)
      err = ended(function() neap.raw.pcall(fail_in, neap.scope(), "lost") end)
      assert.are.equal("lost", err.cause)
      assert.is_nil(ended(neap.scope).cause)
    end)

    it("fail it once, with what failed first from the inside", function()
      local function both(fail)
        return ended(function() fail(neap.scope(), neap.scope()) end)
      end
      local err = both(function(outer) fail_in(outer, "outer") end)
      assert.are.equal("outer", err.cause)
      assert.is_nil(err.others)
      err = both(function(outer, inner)
        outer:spawn(function()
          neap.raw.pcall(forever)
          error("outer", 0)
        end)
        neap.sleep(1)
        fail_in(inner, "inner")
      end)
      assert.are.equal("inner", err.cause)
      assert.is_nil(err.others)
    end)

    it("leave its own error, with what failed in them in its others", function()
      local mine = neap.error("mine", "m")
      local err = ended(function()
        neap.raw.pcall(fail_in, neap.scope(), "lost")
        error(mine)
      end)
      assert.are.equal(mine, err)
      assert.are.equal("structure", err.others[1].kind)
      assert.are.equal("lost", err.others[1].cause)
      mine.others = nil
      assert.are.equal(mine, ended(function()
        neap.scope()
        error(mine)
      end))
      assert.is_nil(mine.others)
      assert.are.equal(mine, ended(function() -- it is what failed in them
        neap.raw.pcall(fail_in, neap.scope(), mine)
        error(mine)
      end))
      assert.is_nil(mine.others)
    end)

    it("let it end as cancelled from outside, unless that would hide a failure", function()
      local s = neap.scope()
      local quiet = s:spawn(function()
        neap.scope():spawn(forever)
        forever()
      end)
      local loud = s:spawn(function()
        neap.scope():spawn({ guard = true }, error, "lost", 0)
        forever()
      end)
      neap.sleep(1)
      s:cancel()
      assert.are.equal("lost", raised(s.close, s).cause)
      assert.are.equal("cancelled", quiet:status())
      assert.are.equal("failed", loud:status())
    end)

    it("fail it when they were cancelled alone", function()
      assert.are.equal("structure", ended(function()
        neap.scope():cancel()
        neap.sleep(1)
      end).kind)
    end)
  end)

  it("by an error raise that, and structure stands in its others", function()
    local mine = neap.error("mine", "m")
    for _, open in ipairs({ neap.scope, function(fn) neap.timeout("1s", fn) end,
      function(fn) neap.shield("1s", fn) end }) do
      mine.others = nil
      local err = raised(open, function()
        neap.scope():spawn(forever)
        neap.yield()
        error(mine)
      end)
      assert.are.equal(mine, err)
      assert.are.equal("structure", err.others[1].kind)
    end
  end)

  it("raise structure by hand, too", function()
    local err = raised(function()
      local outer = neap.scope()
      local inner = neap.scope()
      inner:spawn(forever)
      outer:close()
    end)
    assert.are.equal("structure", err.kind)
  end)

  it("raise structure when the script has dropped the scope and it was collected", function()
    local err = raised(neap.scope, function()
      neap.scope()
      collectgarbage()
      neap.scope(function() collectgarbage() end)
    end)
    assert.are.equal("structure", err.kind)
  end)

  it("raise structure at the end of a task that left one open", function()
    local left
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, function()
        left = neap.scope():spawn(forever)
        neap.yield()
      end)
      local ok, err = task:outcome()
      assert.is_false(ok)
      assert.are.equal("structure", err.kind)
      assert.are.equal("cancelled", left:status())
    end)
  end)

  it("refuse a plain yield inside of one, and recommend a flow", function()
    local openers = {
      function(body) neap.scope(body) end,
      function(body) neap.timeout(1, body) end,
      function(body) neap.shield(1, body) end,
    }
    for _, open in ipairs(openers) do
      local co = coroutine.create(function() open(function() coroutine.yield(1) end) end)
      local ok, err = coroutine.resume(co)
      assert.is_false(ok)
      assert.are.equal("structure", err.kind)
      assert.truthy(err.message:find("flow", 1, true))
    end
  end)

  it("let one yield plainly whose task was cancelled in it", function()
    local yielded
    neap.scope(function(s)
      local task
      task = s:spawn(function()
        local co = coroutine.wrap(function()
          task:cancel()
          coroutine.yield("plainly")
        end)
        yielded = co()
      end)
    end)
    assert.are.equal("plainly", yielded)
  end)

  it("let a coroutine yield that was resumed inside of one", function()
    neap.scope(function()
      local co = coroutine.wrap(function() coroutine.yield(1) return 2 end)
      assert.are.equal(1, co())
      assert.are.equal(2, co())
    end)
  end)
end)

describe("s:join", function()
  it("waits until no started task is left, and the scope stays open", function()
    neap.scope(function(s)
      s:spawn(neap.sleep, 1)
      s:spawn(neap.sleep, 2)
      s:join()
      assert.are.equal(2, test.elapsed())
      s:spawn(neap.sleep, 1)
      s:join()
      assert.are.equal(3, test.elapsed())
    end)
  end)

  it("waits for those, too, that others spawned who waited for the same end #fifo", function()
    neap.scope(function(outer)
      local s <close> = neap.scope()
      local first, late = s:spawn(neap.sleep, "1s"), nil
      outer:spawn(function()
        first:join()
        late = s:spawn(neap.sleep, "1s")
      end)
      neap.yield()
      s:join()
      assert.are.equal("done", late:status())
    end)
  end)

  it("does not wait for lazy tasks, and returns at once without any", function()
    neap.scope(function(s)
      s:join()
      s:spawn({ lazy = true }, neap.sleep, 1)
      s:join()
      assert.are.equal(0, test.elapsed())
    end)
  end)

  it("is ended by a cancellation", function()
    local _, why = neap.timeout_or("1s", function()
      neap.scope(function(s)
        s:spawn(forever)
        s:join()
      end)
    end)
    assert.are.equal("timeout", why)
  end)

  it("has ended when the cancellation comes after the end of the last task #fifo", function()
    local returned, after
    neap.scope(function(outer)
      local last = neap.deferred()
      local joiner = outer:spawn(function()
        neap.scope(function(s)
          s:spawn(last.await, last)
          s:join()
          returned = true
          neap.check()
          after = true
        end)
      end)
      test.run_until_idle()
      outer:spawn(function()
        last:resolve()
        while joiner:status() == "waiting" do neap.yield() end
        joiner:cancel()
      end)
    end)
    assert.is_true(returned)
    assert.is_nil(after)
  end)

  it("by a task of that scope, which would wait for itself, raises usage", function()
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, function() s:join() end)
      local ok, err = task:outcome()
      assert.is_false(ok)
      assert.are.equal("usage", err.kind)
    end)
  end)
end)
