local neap = require("neap")
local test = require("neap.test")

describe("neap.latch", function()
  it("opens when its count has come down to zero, and stays open", function()
    local latch = neap.latch(3)
    neap.scope(function(s)
      for i = 1, 3 do
        s:spawn(function()
          neap.sleep(i * 0.010)
          latch:count_down()
        end)
      end
      latch:wait()
      assert.are.equal(0.030, test.elapsed())
      latch:wait()
    end)
  end)

  it("counts several down at once, and not below zero", function()
    local latch = neap.latch(3)
    latch:count_down(2)
    assert.are.same({ nil, "timeout" }, { neap.timeout_or("5ms", latch.wait, latch) })
    latch:count_down(5)
    latch:wait()
    latch:count_down()
    latch:wait()
  end)

  it("is open from the start with a count of zero", function()
    neap.latch(0):wait()
    assert.are.equal("usage", select(2, pcall(neap.latch, -1)).kind)
  end)

  it("forgets a waiter that was cancelled", function()
    local latch, went_on = neap.latch(1), {}
    neap.scope(function(s)
      local function wait(name)
        latch:wait()
        went_on[#went_on + 1] = name
      end
      local first = s:spawn(wait, "first")
      s:spawn(wait, "second")
      test.run_until_idle()
      first:cancel()
      latch:count_down()
    end)
    assert.are.same({ "second" }, went_on)
  end)

  it("has woken a waiter that is cancelled after it opened", function()
    local latch, went_on = neap.latch(1), false
    neap.scope(function(s)
      local waiter = s:spawn(function()
        latch:wait()
        went_on = true
      end)
      test.run_until_idle()
      latch:count_down()
      waiter:cancel()
    end)
    assert.is_true(went_on)
  end)
end)
