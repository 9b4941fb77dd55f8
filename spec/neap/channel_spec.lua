local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised, start, drain = support.raised, support.start, support.drain

describe("neap.channel", function()
  describe("without a buffer", function()
    it("hands values over in the order in which senders came", function()
      local ch, got = neap.channel(), {}
      neap.scope(function(s)
        for i = 1, 3 do start(s, ch.send, ch, i) end
        for _ = 1, 3 do got[#got + 1] = ch:recv() end
      end)
      assert.are.same({ 1, 2, 3 }, got)
    end)

    it("serves receivers in the order in which they came", function()
      local ch, got = neap.channel(), {}
      neap.scope(function(s)
        for i = 1, 3 do
          start(s, function() got[i] = ch:recv() end)
        end
        for i = 1, 3 do ch:send(i * 10) end
      end)
      assert.are.same({ 10, 20, 30 }, got)
    end)

    it("keeps a sender until somebody receives", function()
      local ch = neap.channel()
      neap.scope(function(s)
        s:spawn(function()
          neap.sleep("2s")
          ch:recv()
        end)
        ch:send("v")
      end)
      assert.are.equal(2, test.elapsed())
    end)

    it("hands several values over as they are", function()
      local ch = neap.channel()
      neap.scope(function(s)
        start(s, ch.send, ch, 1, nil, "three", nil)
        assert.are.same({ n = 4, 1, nil, "three" }, table.pack(ch:recv()))
        local receiver = start(s, function() return select("#", ch:recv()) end)
        ch:send(false, nil)
        assert.are.equal(2, receiver:await())
      end)
    end)

    it("works inside a coroutine of the script's own", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local both = coroutine.wrap(function()
          ch:send("a", "b")
          local first, second = ch:recv()
          return first, second
        end)
        s:spawn(function() -- both wait before the other one comes
          assert.are.same({ "a", "b" }, { ch:recv() })
          neap.yield()
          ch:send("c", "d")
        end)
        assert.are.same({ "c", "d" }, { both() })
      end)
    end)
  end)

  describe("with a buffer", function()
    it("lets senders run ahead by its capacity", function()
      local ch, sent = neap.channel(2), 0
      neap.scope(function(s)
        local sender = start(s, function()
          for i = 1, 4 do
            ch:send(i)
            sent = i
          end
        end)
        assert.are.equal(2, sent)
        assert.are.equal(2, ch:len())
        assert.are.equal("waiting", sender:status())
        assert.are.equal(1, ch:recv())
        assert.are.equal(2, ch:len()) -- the waiting sender's has moved up
        assert.are.same({ 2, 3 }, { ch:recv(), ch:recv() })
      end)
    end)

    it("keeps the order when its ring goes round", function()
      local ch, sum = neap.channel(3), {}
      for i = 1, 3 do ch:send(i) end
      for i = 4, 40 do
        sum[#sum + 1] = ch:recv()
        ch:send(i)
      end
      for i, v in ipairs(sum) do assert.are.equal(i, v) end
      assert.are.same({ 38, 39, 40 }, drain(ch))
    end)

    it("keeps values that were sent together together", function()
      local ch = neap.channel(1)
      neap.scope(function(s)
        ch:send(1, nil, 3)
        start(s, ch.send, ch, "a", nil, nil) -- waits
        assert.are.same({ n = 3, 1, nil, 3 }, table.pack(ch:recv()))
        assert.are.same({ n = 3, "a" }, table.pack(ch:recv()))
      end)
    end)

    it("is unbounded with math.huge, and only then", function()
      local ch = neap.channel(math.huge)
      for i = 1, 5000 do ch:send(i) end
      assert.are.equal(5000, ch:len())
      local wrong = 0
      for i = 1, 5000 do
        if ch:recv() ~= i then wrong = wrong + 1 end
      end
      assert.are.equal(0, wrong)
      assert.are.equal(0, ch:len())
    end)

    it("drops the oldest value when it is full and shall", function()
      local dropped = {}
      local ch = neap.channel {
        capacity = 2,
        on_full = "drop_oldest",
        on_undelivered = function(...) dropped[#dropped + 1] = { ... } end,
      }
      for i = 1, 4 do ch:send(i, "of 4") end
      assert.are.same({ { 1, "of 4" }, { 2, "of 4" } }, dropped)
      assert.are.same({ 3, 4 }, drain(ch))
    end)

    it("drops the newest value when it is full and shall", function()
      local dropped = {}
      local ch = neap.channel {
        capacity = 2,
        on_full = "drop_newest",
        on_undelivered = function(...) dropped[#dropped + 1] = { ... } end,
      }
      for i = 1, 4 do assert.is_true(ch:try_send(i, "of 4")) end
      assert.are.same({ { 3, "of 4" }, { 4, "of 4" } }, dropped)
      assert.are.same({ 1, 2 }, drain(ch))
    end)
  end)

  describe("misuse", function()
    it("of nil as the first value raises usage", function()
      local ch = neap.channel(1)
      assert.are.equal("usage", raised(ch.send, ch).kind)
      assert.are.equal("usage", raised(ch.send, ch, nil).kind)
      assert.are.equal("usage", raised(ch.send, ch, nil, 1).kind)
      assert.are.equal("usage", raised(ch.try_send, ch, nil).kind)
      assert.are.equal("usage", raised(ch.on_send, ch, nil).kind)
    end)

    it("of a method without its channel blames the caller's line", function()
      local ch = neap.channel()
      local err = raised(function() ch.send(1) end)
      assert.are.equal("usage", err.kind)
      assert.matches("^[^:]*channel_spec.lua:%d+: ", err.message)
    end)

    it("of options raises usage", function()
      assert.matches("capacity", raised(neap.channel, { capcity = 1 }).message)
      assert.are.equal("usage", raised(neap.channel, -1).kind)
      assert.are.equal("usage", raised(neap.channel, 1.5).kind)
      assert.are.equal("usage", raised(neap.channel, { capacity = 1, on_full = "drop" }).kind)
      assert.are.equal("usage", raised(neap.channel, { on_full = "drop_oldest" }).kind)
      assert.are.equal("usage", raised(neap.channel, { on_undelivered = 1 }).kind)
    end)

    it("of too many values at once names the limit", function()
      local ch, many = neap.channel(1), {}
      for i = 1, 256 do many[i] = i end
      assert.matches("at most 255", raised(ch.send, ch, table.unpack(many)).message)
      ch:send(table.unpack(many, 1, 255))
      assert.are.equal(255, select("#", ch:recv()))
    end)
  end)

  it("lets others run at every 256th checkpoint that does not wait", function()
    local ch, others = neap.channel(math.huge), 0
    neap.scope(function(s)
      s:spawn(function() others = others + 1 end)
      for i = 1, 255 do ch:send(i) end
      assert.are.equal(0, others)
      ch:send(256)
      assert.are.equal(1, others)
    end)
  end)

  it("loses and doubles nothing under any schedule", function()
    test.schedules(20, function()
      local items, results = neap.channel(3), neap.channel()
      local seen, count = {}, 0
      neap.scope(function(s)
        for w = 1, 4 do
          s:spawn(function()
            local sender <close> = items:sender()
            for i = 1, 10 do sender:send(w * 100 + i) end
          end)
          s:spawn(function()
            for v in items do results:send(v) end
          end)
        end
        local cancelled = s:spawn(function() while true do results:send((items:recv())) end end)
        neap.yield()
        cancelled:cancel()
        cancelled:join()
        for _ = 1, 40 do
          local v = results:recv_within("1s")
          if v == nil then break end -- the cancelled one kept a value
          assert.is_nil(seen[v])
          seen[v], count = true, count + 1
        end
      end)
      assert.is_true(count >= 39)
    end)
  end)

  it("keeps nothing of what was received", function()
    for _, capacity in ipairs { 0, 1, 4, 200 } do
      local ch, kept = neap.channel(capacity), setmetatable({}, { __mode = "v" })
      neap.scope(function(s)
        s:spawn(function()
          for i = 1, 4 do
            kept[i] = { i }
            ch:send(kept[i], { "beside" })
          end
        end)
        for i = 1, 4 do assert.are.equal(i, ch:recv()[1]) end
      end)
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(kept))
      assert.are.equal(0, ch:len())
    end
  end)
end)
