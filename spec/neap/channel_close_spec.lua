-- How a channel ends: closed, aborted, or by the last of its ends.

local neap = require("neap")
local support = require("spec.neap.support")

local raised, start, drain = support.raised, support.start, support.drain

describe("neap.channel", function()
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
      local err = raised(ch.send, ch, 1)
      assert.are.equal("closed", err.kind)
      assert.are.equal("ECLOSED", err.code)
      assert.is_nil(err.cause)
    end)

    it("with a cause raises it at receivers, after the last value", function()
      local ch, cause = neap.channel(1), { "broken" }
      ch:send(1)
      ch:close(cause)
      assert.are.equal(1, (ch:recv()))
      assert.are.equal(cause, raised(ch.recv, ch))
      assert.are.equal(cause, raised(ch.try_recv, ch))
      assert.are.equal(cause, raised(function() for _ in ch do end end))
      assert.are.equal(cause, raised(ch.send, ch, 2).cause)
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

    it("raises usage when on_undelivered waits, and what is sent is sent", function()
      local ch = neap.channel {
        capacity = 1,
        on_full = "drop_oldest",
        on_undelivered = function() neap.sleep(1) end,
      }
      ch:send("old")
      assert.are.equal("usage", raised(ch.send, ch, "new").kind)
      assert.are.same({ "new" }, drain(ch))
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
      assert.are.equal("no. 1", raised(ch.abort, ch))
      assert.are.same({ 1, 2, 3 }, seen)
      assert.is_true(ch:is_closed())
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
      assert.are.equal("usage", raised(ch.send, receiver, 2).kind)
      assert.are.equal("usage", raised(ch.recv, sender).kind)
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
      assert.are.equal("closed", raised(ch.send, ch, 3).kind)
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
      assert.are.equal("closed", raised(sender.send, sender, 2).kind)
      assert.are.same({ n = 2, nil, "closed" }, table.pack(receiver:recv()))
      assert.are.equal(1, ch:len())
    end)
  end)
end)
