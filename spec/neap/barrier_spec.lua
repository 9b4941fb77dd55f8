local neap = require("neap")
local test = require("neap.test")

describe("neap.barrier", function()
  it("lets nobody go on before all have come", function()
    local barrier, times = neap.barrier(3), {}
    neap.scope(function(s)
      for i = 1, 3 do
        s:spawn(function()
          neap.sleep(i * 0.010)
          barrier:wait()
          times[i] = test.elapsed()
        end)
      end
    end)
    assert.are.same({ 0.030, 0.030, 0.030 }, times)
  end)

  it("has round after round, and one that comes last in each", function()
    local barrier, last = neap.barrier(3), 0
    neap.scope(function(s)
      for i = 1, 3 do
        s:spawn(function()
          for _ = 1, 4 do
            neap.sleep(i * 0.010)
            if barrier:wait() then last = last + 1 end
          end
        end)
      end
    end)
    assert.are.equal(4, last)
    assert.are.equal(0.120, test.elapsed())
  end)

  it("never waits with one party", function()
    assert.is_true(neap.barrier(1):wait())
    assert.are.equal("usage", select(2, pcall(neap.barrier, 0)).kind)
  end)

  it("waits for another in place of one that was cancelled", function()
    local barrier = neap.barrier(2)
    neap.scope(function(s)
      local first = s:spawn(barrier.wait, barrier)
      test.run_until_idle()
      first:cancel()
      local second = s:spawn(barrier.wait, barrier)
      neap.sleep("10ms")
      assert.are.equal("waiting", second:status())
      assert.is_true(barrier:wait())
      assert.is_false(second:await())
    end)
  end)

  it("has let a task go on that is cancelled after the round was full", function()
    local barrier, went_on = neap.barrier(2), false
    neap.scope(function(s)
      local waiter = s:spawn(function()
        barrier:wait()
        went_on = true
      end)
      test.run_until_idle()
      barrier:wait()
      waiter:cancel()
    end)
    assert.is_true(went_on)
  end)

  it("raises before it arrives when the scope is cancelled", function()
    local barrier = neap.barrier(1)
    neap.scope(function(s)
      s:cancel()
      assert.is_false(neap.raw.pcall(barrier.wait, barrier))
    end)
  end)
end)
