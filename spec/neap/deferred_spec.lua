local neap = require("neap")
local test = require("neap.test")

-- Start `fn(...)` and let it run until it waits.
local function start(s, fn, ...)
  local task = s:spawn({ guard = true }, fn, ...)
  test.run_until_idle()
  return task
end

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("neap.deferred", function()
  it("gives its values to all who wait, and to whoever comes later", function()
    local d = neap.deferred()
    neap.scope(function(s)
      local first, second = start(s, d.await, d), start(s, d.await, d)
      assert.is_true(d:resolve(1, nil, 3))
      assert.are.same({ n = 3, 1, nil, 3 }, table.pack(first:await()))
      assert.are.same({ n = 3, 1, nil, 3 }, table.pack(second:await()))
      assert.are.same({ n = 3, 1, nil, 3 }, table.pack(d:await()))
    end)
  end)

  it("may be resolved with nothing", function()
    local d = neap.deferred()
    neap.scope(function(s)
      local waiter = start(s, d.await, d)
      assert.is_true(d:resolve())
      assert.are.same({ n = 0 }, table.pack(waiter:await()))
    end)
  end)

  it("raises what it was rejected with", function()
    local d, err = neap.deferred(), { "no" }
    neap.scope(function(s)
      local waiter = start(s, d.await, d)
      assert.is_true(d:reject(err))
      assert.are.equal(err, select(2, waiter:outcome()))
      assert.are.equal(err, failure(d.await, d))
    end)
  end)

  it("is completed once", function()
    local d = neap.deferred()
    assert.is_true(d:resolve(1))
    assert.is_false(d:resolve(2))
    assert.is_false(d:reject("no"))
    assert.are.equal(1, (d:await()))
  end)

  it("is an arm of a select", function()
    local d, no, never = neap.deferred(), neap.deferred(), neap.deferred()
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("1s")
        d:resolve("v", 2)
        no:reject("no")
      end)
      assert.are.same({ 2, "v", 2 }, { neap.select { never:on_await(), d:on_await() } })
      local function double(_, n) return 2 * n end
      assert.are.equal(4, neap.select { never:on_await(), d:on_await(double) })
      assert.are.equal("no", failure(neap.select, { never:on_await(), no:on_await() }))
    end)
  end)

  it("raises its error at a select that waits", function()
    local d = neap.deferred()
    neap.scope(function(s)
      local waiter = start(s, neap.select, { d:on_await(), neap.after("1s") })
      d:reject("no")
      assert.are.same({ false, "no" }, { waiter:outcome() })
    end)
  end)

  it("lets go of a cancelled waiter", function()
    local d = neap.deferred()
    neap.scope(function(s)
      local first, second = start(s, d.await, d), start(s, d.await, d)
      first:cancel()
      d:resolve("v")
      assert.are.equal("v", second:await())
      first:join()
      assert.are.equal("cancelled", first:status())
    end)
  end)

  it("cancelled after it was resolved, a waiter has the values first", function()
    local d, got = neap.deferred()
    neap.scope(function(s)
      local waiter = start(s, function()
        got = d:await()
        neap.check()
        got = nil
      end)
      d:resolve("v")
      waiter:cancel()
      waiter:join()
      assert.are.equal("v", got)
    end)
  end)

  it("raises usage for nil as an error and for what is no deferred", function()
    local d = neap.deferred()
    assert.are.equal("usage", failure(d.reject, d).kind)
    assert.are.equal("usage", failure(d.await).kind)
    assert.is_true(d:resolve(1))
  end)
end)

describe("neap.suspend", function()
  it("returns what it is resumed with", function()
    neap.scope(function(s)
      local r = table.pack(neap.suspend(function(resume)
        s:spawn(function()
          neap.sleep("1s")
          assert.is_true(resume(true, 1, nil, 3))
        end)
      end))
      assert.are.same({ n = 3, 1, nil, 3 }, r)
      assert.are.equal(1, test.elapsed())
    end)
  end)

  it("may be resumed before its function has returned", function()
    assert.are.same({ "a", "b" }, { neap.suspend(function(resume) resume(true, "a", "b") end) })
  end)

  it("raises the error that it is resumed with", function()
    local err = { "no" }
    assert.are.equal(err, failure(neap.suspend, function(resume) resume(false, err) end))
  end)

  it("is resumed once", function()
    local again
    assert.are.equal(1, (neap.suspend(function(resume)
      resume(true, 1)
      again = resume
    end)))
    assert.is_false(again(true, 2))
    assert.is_false(again(false, "no"))
  end)

  it("raises what its function raises", function()
    assert.are.equal("boom", failure(neap.suspend, function() error("boom", 0) end))
  end)

  it("calls off what was started when it is cancelled, and then cannot be resumed", function()
    local resume, called_off = nil, 0
    neap.scope(function(s)
      local waiter = start(s, neap.suspend, function(r)
        resume = r
        return function() called_off = called_off + 1 end
      end)
      waiter:cancel()
      waiter:join()
      assert.are.equal("cancelled", waiter:status())
    end)
    assert.are.equal(1, called_off)
    assert.is_false(resume(true))
  end)

  it("lets what calls off wait, under a shield", function()
    local done
    neap.scope(function(s)
      local waiter = start(s, neap.suspend, function()
        return function()
          neap.shield("5s", function()
            neap.sleep("1s")
            done = true
          end)
        end
      end)
      waiter:cancel()
      waiter:join()
    end)
    assert.is_true(done)
  end)

  it("calls nothing off when it was resumed before the cancellation", function()
    local resume, got
    neap.scope(function(s)
      local waiter = start(s, function()
        got = neap.suspend(function(r)
          resume = r
          return error
        end)
      end)
      resume(true, "v")
      waiter:cancel()
      waiter:join()
    end)
    assert.are.equal("v", got)
  end)

  it("returns what was handed over while its function ran, although it was cancelled", function()
    local got
    neap.scope(function(s)
      got = neap.suspend(function(resume)
        resume(true, "v")
        s:cancel()
      end)
    end)
    assert.are.equal("v", got)
  end)

  it("starts nothing when it is cancelled already", function()
    local started = false
    neap.scope(function(s)
      s:cancel()
      assert.is_false(neap.raw.pcall(neap.suspend, function() started = true end))
    end)
    assert.is_false(started)
  end)

  it("raises usage for what cannot be called", function()
    assert.are.equal("usage", failure(neap.suspend).kind)
    assert.are.equal("usage", failure(neap.suspend, function() return 1 end).kind)
  end)
end)
