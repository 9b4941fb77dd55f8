local neap = require("neap")
local test = require("neap.test")

describe("neap.defer", function()
  it("calls the function with its arguments when the block is left", function()
    local log = {}
    do
      local _ <close> = neap.defer(function(...) log[#log + 1] = table.pack(...) end, 1, nil, 3)
      log[#log + 1] = "body"
    end
    assert.are.same({ "body", { 1, nil, 3, n = 3 } }, log)
  end)

  it("calls it when the block is left by an error, which goes on", function()
    local left
    assert.has_error(function()
      local _ <close> = neap.defer(function() left = true end)
      error("boom", 0)
    end, "boom")
    assert.is_true(left)
  end)

  it("calls it when the task is cancelled, which can wait there under a shield", function()
    local left
    neap.scope(function(s)
      s:spawn(function()
        local _ <close> = neap.defer(function()
          neap.shield("1s", function()
            neap.sleep("20ms")
            left = test.elapsed()
          end)
        end)
        neap.sleep(math.huge)
      end)
      neap.sleep("10ms")
      s:cancel()
    end)
    assert.are.equal(0.030, left)
  end)

  it("is still cancelled in the function of a cancelled task", function()
    local finished
    neap.scope(function(s)
      s:spawn(function()
        local _ <close> = neap.defer(function()
          neap.sleep("1ms")
          finished = true
        end)
        neap.sleep(math.huge)
      end)
      test.run_until_idle()
      s:cancel()
    end)
    assert.is_nil(finished)
  end)

  it("raises what the function raises", function()
    assert.has_error(function()
      local _ <close> = neap.defer(error, "late", 0)
    end, "late")
  end)

  it("refuses what cannot be called", function()
    local ok, e = pcall(neap.defer, 3)
    assert.is_false(ok)
    assert.are.equal("usage", e.kind)
  end)
end)
