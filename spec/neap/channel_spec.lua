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

-- What can be received without waiting.
local function drain(ch)
  local values = {}
  repeat
    local v = ch:try_recv()
    values[#values + 1] = v
  until v == nil
  return values
end

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

  describe("closing", function()
    it("lets receivers drain, then tells the end", function()
      local ch = neap.channel(2)
      ch:send(1)
      ch:send(2)
      ch:close()
      assert.is_true(ch:is_closed())
      assert.are.same({ 1, 2 }, { ch:recv(), (ch:recv()) })
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
    end)

    it("ends a walk, which needs no closing itself", function()
      local ch, got = neap.channel(3), {}
      for i = 1, 3 do ch:send(i, i * i) end
      ch:close()
      for v, square in ch do got[#got + 1] = v + square end
      assert.are.same({ 2, 6, 12 }, got)
    end)

    it("wakes the receivers that wait", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local receiver = start(s, ch.recv, ch)
        ch:close()
        assert.are.same({ n = 2, nil, "closed" }, table.pack(receiver:await()))
      end)
    end)

    it("refuses the senders that wait: they keep their values", function()
      local ch = neap.channel(1)
      neap.scope(function(s)
        ch:send("in the buffer")
        local sender = start(s, ch.send, ch, "kept")
        ch:close()
        local ok, err = sender:outcome()
        assert.is_false(ok)
        assert.are.equal("closed", err.kind)
        assert.are.equal("in the buffer", (ch:recv()))
        assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
      end)
    end)

    it("makes a send raise closed", function()
      local ch = neap.channel(1)
      ch:close()
      local err = failure(ch.send, ch, 1)
      assert.are.equal("closed", err.kind)
      assert.are.equal("ECLOSED", err.code)
      assert.is_nil(err.cause)
    end)

    it("with a cause raises it at receivers, after the last value", function()
      local ch, cause = neap.channel(1), { "broken" }
      ch:send(1)
      ch:close(cause)
      assert.are.equal(1, (ch:recv()))
      assert.are.equal(cause, failure(ch.recv, ch))
      assert.are.equal(cause, failure(ch.try_recv, ch))
      assert.are.equal(cause, failure(function() for _ in ch do end end))
      assert.are.equal(cause, failure(ch.send, ch, 2).cause)
    end)

    it("raises the cause at a receiver that waits", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local receiver = start(s, ch.recv, ch)
        ch:close("broken")
        assert.are.same({ false, "broken" }, { receiver:outcome() })
      end)
    end)

    it("a second time changes nothing", function()
      local ch = neap.channel()
      ch:close()
      ch:close("too late")
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
    end)
  end)

  describe("abort", function()
    it("discards what is in the buffer and hands it to on_undelivered", function()
      local left = {}
      local ch = neap.channel {
        capacity = 3,
        on_undelivered = function(...) left[#left + 1] = { ... } end,
      }
      for i = 1, 3 do ch:send(i) end
      ch:recv()
      ch:send(4, "four") -- round the ring
      ch:abort()
      assert.are.same({ { 2 }, { 3 }, { 4, "four" } }, left)
      assert.are.equal(0, ch:len())
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
    end)

    it("discards what a close had left", function()
      local ch = neap.channel(1)
      ch:send(1)
      ch:close()
      ch:abort()
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
    end)

    it("never hands the value of a waiting sender to on_undelivered", function()
      local left = {}
      local ch = neap.channel {
        capacity = 1,
        on_undelivered = function(v) left[#left + 1] = v end,
      }
      neap.scope(function(s)
        ch:send("mine")
        local aborted, cancelled = start(s, ch.send, ch, "a"), start(s, ch.send, ch, "b")
        cancelled:cancel()
        ch:abort()
        assert.are.equal("closed", select(2, aborted:outcome()).kind)
      end)
      assert.are.same({ "mine" }, left)
    end)

    it("goes through all values although on_undelivered raises", function()
      local seen = {}
      local ch = neap.channel {
        capacity = 3,
        on_undelivered = function(v)
          seen[#seen + 1] = v
          error("no. " .. v, 0)
        end,
      }
      for i = 1, 3 do ch:send(i) end
      assert.are.equal("no. 1", failure(ch.abort, ch))
      assert.are.same({ 1, 2, 3 }, seen)
      assert.is_true(ch:is_closed())
    end)
  end)

  describe("recv_within", function()
    it("gives up when the time is over", function()
      local ch = neap.channel()
      assert.are.same({ n = 2, nil, "timeout" }, table.pack(ch:recv_within("1s")))
      assert.are.equal(1, test.elapsed())
      assert.is_nil((ch:try_send(1))) -- nobody waits there any more
    end)

    it("returns what comes in time, and then does not wait on", function()
      local ch = neap.channel()
      neap.scope(function(s)
        s:spawn(function()
          neap.sleep("1s")
          ch:send("a", "b")
        end)
        assert.are.same({ "a", "b" }, { ch:recv_within("5s") })
      end)
      assert.are.equal(1, test.elapsed())
    end)

    it("tells a close from the time that is over", function()
      local ch = neap.channel()
      neap.scope(function(s)
        s:spawn(function() ch:close() end)
        assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv_within("1s")))
      end)
    end)

    it("is a timer: at one instant it comes before a deadline", function()
      local ch = neap.channel()
      assert.are.same({ n = 2, nil, "timeout" },
        table.pack(neap.timeout("1s", ch.recv_within, ch, "1s")))
    end)

    it("waits for good with math.huge", function()
      local ch = neap.channel()
      neap.scope(function(s)
        s:spawn(function()
          neap.sleep("1h")
          ch:send("late")
        end)
        assert.are.equal("late", (ch:recv_within(math.huge)))
      end)
    end)

    it("is ended by a cancellation", function()
      local ch = neap.channel()
      assert.are.same({ nil, "timeout" }, { neap.timeout_or("1s", ch.recv_within, ch, "1m") })
      assert.is_nil((ch:try_send(1)))
    end)
  end)

  describe("try_send and try_recv", function()
    it("do not wait, and say why not", function()
      local ch = neap.channel(1)
      assert.are.same({ n = 2, nil, "empty" }, table.pack(ch:try_recv()))
      assert.is_true(ch:try_send(1))
      assert.are.same({ n = 2, nil, "full" }, table.pack(ch:try_send(2)))
      assert.are.equal(1, (ch:try_recv()))
      ch:close()
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:try_send(3)))
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:try_recv()))
    end)

    it("meet whoever waits", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local receiver = start(s, ch.recv, ch)
        assert.is_true(ch:try_send("a"))
        assert.are.equal("a", receiver:await())
        start(s, ch.send, ch, "b")
        assert.are.equal("b", (ch:try_recv()))
      end)
    end)

    it("are no checkpoints", function()
      local ch = neap.channel(1)
      neap.scope(function(s)
        s:cancel()
        local ok, sent = neap.raw.pcall(ch.try_send, ch, 1)
        assert.is_true(ok and sent)
        assert.are.same({ true, 1 }, { neap.raw.pcall(ch.try_recv, ch) })
      end)
    end)
  end)

  describe("cancelled", function()
    it("receivers lose no value", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local first, second = start(s, ch.recv, ch), start(s, ch.recv, ch)
        first:cancel()
        ch:send("v")
        assert.are.equal("v", second:await())
        first:join()
        assert.are.equal("cancelled", first:status())
      end)
    end)

    it("senders still own their value", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local first, second = start(s, ch.send, ch, 1), start(s, ch.send, ch, 2)
        first:cancel()
        assert.are.equal(2, (ch:recv()))
        second:await()
        assert.are.same({ n = 2, nil, "empty" }, table.pack(ch:try_recv()))
      end)
    end)

    it("senders in a coroutine of their own leave nothing behind", function()
      local ch = neap.channel()
      neap.scope(function(s)
        local sender = start(s, function()
          local send = coroutine.wrap(function()
            local ok, err = neap.raw.pcall(ch.send, ch, "kept")
            return ok, err.kind
          end)
          return send()
        end)
        sender:cancel()
        assert.are.same({ n = 3, true, false, "cancelled" }, table.pack(sender:outcome()))
        assert.are.same({ n = 2, nil, "empty" }, table.pack(ch:try_recv()))
      end)
    end)

    it("after the hand-over, a receiver has the value first", function()
      local ch, got = neap.channel()
      neap.scope(function(s)
        local receiver = start(s, function()
          got = ch:recv()
          neap.sleep(0)
          got = "slept"
        end)
        ch:send("v")
        receiver:cancel() -- woken, and has not run
        receiver:join()
        assert.are.equal("v", got)
        assert.are.equal("cancelled", receiver:status())
      end)
    end)

    it("after the hand-over, a sender has sent", function()
      local ch, sent = neap.channel()
      neap.scope(function(s)
        local sender = start(s, function()
          ch:send("v")
          sent = true
          neap.check()
          sent = "checked"
        end)
        assert.are.equal("v", (ch:recv()))
        sender:cancel()
        sender:join()
        assert.is_true(sent)
      end)
    end)

    it("before it begins, neither has an effect", function()
      local ch = neap.channel(2)
      ch:send("there")
      neap.scope(function(s)
        s:cancel()
        assert.is_false(neap.raw.pcall(ch.send, ch, "more"))
        assert.is_false(neap.raw.pcall(ch.recv, ch))
      end)
      assert.are.same({ "there" }, drain(ch))
    end)
  end)

  describe("ends", function()
    it("close the channel for everybody when the last of a side has gone", function()
      local ch = neap.channel(1)
      local a, b = ch:sender(), ch:sender()
      a:send(1)
      a:close()
      assert.is_false(ch:is_closed())
      b:close()
      assert.is_true(ch:is_closed())
      assert.are.same({ 1 }, drain(ch))
    end)

    it("are not the channel itself, which can go on being used beside them until then", function()
      local ch = neap.channel(2)
      local sender, receiver = ch:sender(), ch:receiver()
      ch:send("by the channel")
      sender:send("by the end")
      assert.are.equal("by the channel", receiver:recv())
      assert.are.equal("by the end", ch:recv())
      receiver:close()
      assert.is_true(ch:is_closed())
      sender:close()
    end)

    it("are closed at the end of a block, and once", function()
      local ch = neap.channel(1)
      local other <close> = ch:sender()
      do
        local sender <close> = ch:sender()
        sender:send(1)
        sender:close()
      end
      assert.is_false(ch:is_closed())
      other:close()
      assert.is_true(ch:is_closed())
    end)

    it("have the methods of their side only", function()
      local ch = neap.channel(1)
      local sender, receiver = ch:sender(), ch:receiver()
      assert.is_nil(sender.recv)
      assert.is_nil(receiver.send)
      sender:send(1)
      assert.are.equal(1, receiver:len())
      assert.are.equal("usage", failure(ch.send, receiver, 2).kind)
      assert.are.equal("usage", failure(ch.recv, sender).kind)
    end)

    it("can be walked", function()
      local ch, sum = neap.channel(3), 0
      for i = 1, 3 do ch:send(i) end
      ch:close()
      for v in ch:receiver() do sum = sum + v end
      assert.are.equal(6, sum)
    end)

    it("leave values to on_undelivered when the last receiver has gone", function()
      local left = {}
      local ch = neap.channel {
        capacity = 2,
        on_undelivered = function(v) left[#left + 1] = v end,
      }
      local receiver = ch:receiver()
      ch:send(1)
      ch:send(2)
      receiver:close()
      assert.are.same({ 1, 2 }, left)
      assert.are.equal("closed", failure(ch.send, ch, 3).kind)
    end)

    it("once closed are closed, whatever the channel is", function()
      local ch = neap.channel(1)
      local sender, receiver = ch:sender(), ch:receiver()
      local _, _ = ch:sender(), ch:receiver()
      ch:send(1)
      sender:close()
      receiver:close()
      assert.is_false(ch:is_closed())
      assert.is_true(sender:is_closed())
      assert.are.equal("closed", failure(sender.send, sender, 2).kind)
      assert.are.same({ n = 2, nil, "closed" }, table.pack(receiver:recv()))
      assert.are.equal(1, ch:len())
    end)
  end)

  describe("misuse", function()
    it("of nil as the first value raises usage", function()
      local ch = neap.channel(1)
      assert.are.equal("usage", failure(ch.send, ch).kind)
      assert.are.equal("usage", failure(ch.send, ch, nil, 1).kind)
      assert.are.equal("usage", failure(ch.try_send, ch, nil).kind)
      assert.are.equal("usage", failure(ch.on_send, ch, nil).kind)
    end)

    it("of a method without its channel blames the caller's line", function()
      local ch = neap.channel()
      local err = failure(function() ch.send(1) end)
      assert.are.equal("usage", err.kind)
      assert.matches("^[^:]*channel_spec.lua:%d+: ", err.message)
    end)

    it("of options raises usage", function()
      assert.matches("capacity", failure(neap.channel, { capcity = 1 }).message)
      assert.are.equal("usage", failure(neap.channel, -1).kind)
      assert.are.equal("usage", failure(neap.channel, 1.5).kind)
      assert.are.equal("usage", failure(neap.channel, { capacity = 1, on_full = "drop" }).kind)
      assert.are.equal("usage", failure(neap.channel, { on_full = "drop_oldest" }).kind)
      assert.are.equal("usage", failure(neap.channel, { on_undelivered = 1 }).kind)
    end)

    it("of too many values at once names the limit", function()
      local ch, many = neap.channel(1), {}
      for i = 1, 256 do many[i] = i end
      assert.matches("at most 255", failure(ch.send, ch, table.unpack(many)).message)
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
end)
