local neap = require("neap")
local test = require("neap.test")

describe("fairness", function()
  it("lets others run at every 256th checkpoint, by count", function()
    local others = 0
    neap.scope(function(s)
      s:spawn(function()
        for _ = 1, 10 do
          others = others + 1
          neap.yield()
        end
      end)
      local ch = neap.channel(1000)
      local seen
      for i = 1, 600 do
        ch:send(i)
        if others > 0 and not seen then seen = i end
      end
      assert.are.equal(256, seen)
      assert.are.equal(2, others)
    end)
  end)

  it("lets all others run at neap.yield, in any order of the tasks", function()
    test.schedules(20, function()
      local ran = 0
      neap.scope(function(s)
        for _ = 1, 5 do s:spawn(function() ran = ran + 1 end) end
        neap.yield()
        assert.are.equal(5, ran)
      end)
    end)
  end)
end)
