local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local failure, start = support.raised, support.start

describe("neap.select", function()
  it("returns what the handler of the chosen arm returns", function()
    local ch = neap.channel(1)
    ch:send("order", 7)
    local function handle(v, n) return v .. n, n end
    assert.are.same({ "order7", 7 }, { neap.select { ch:on_recv(handle) } })
  end)

  it("without a handler returns the index and the values", function()
    local a, b = neap.channel(1), neap.channel(1)
    b:send("v", nil, "w")
    assert.are.same({ n = 4, 2, "v", nil, "w" },
      table.pack(neap.select { a:on_recv(), b:on_recv() }))
    assert.are.same({ n = 1, 1 }, table.pack(neap.select { a:on_send("x"), b:on_recv() }))
  end)

  it("takes the first ready arm in listing order", function()
    local a, b = neap.channel(9), neap.channel(9)
    for i = 1, 3 do
      a:send(i)
      b:send(i)
    end
    for _ = 1, 3 do assert.are.equal(1, (neap.select { a:on_recv(), b:on_recv() })) end
    assert.are.equal(2, (neap.select { a:on_recv(), b:on_recv() }))
  end)

  it("takes turns among the ready arms if it is fair", function()
    local a, never, b = neap.channel(99), neap.channel(1), neap.channel(99)
    for i = 1, 20 do
      a:send(i)
      b:send(i)
    end
    local chosen = {}
    for i = 1, 6 do
      chosen[i] = neap.select { a:on_recv(), never:on_recv(), b:on_recv(), fair = true }
    end
    assert.are.same({ 1, 3, 1, 3, 1, 3 }, chosen)
  end)

  it("keeps the turns of one place apart from those of another", function()
    local a, b = neap.channel(99), neap.channel(99)
    for i = 1, 20 do
      a:send(i)
      b:send(i)
    end
    local first, second = {}, {}
    for i = 1, 4 do
      first[i] = neap.select { a:on_recv(), b:on_recv(), fair = true }
      second[i] = neap.select { a:on_recv(), b:on_recv(), fair = true }
    end
    assert.are.same({ 1, 2, 1, 2 }, first)
    assert.are.same({ 1, 2, 1, 2 }, second)
  end)

  it("waits for the first of several, and makes exactly one happen", function()
    local a, b = neap.channel(), neap.channel()
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("1s")
        b:send("b")
      end)
      local late = s:spawn(function()
        neap.sleep("2s")
        return a:try_send("a")
      end)
      assert.are.same({ 2, "b" }, { neap.select { a:on_recv(), b:on_recv() } })
      assert.are.equal(1, test.elapsed())
      assert.is_nil((late:await())) -- it does not wait there any more
    end)
  end)

  it("gives its value to a receiver that comes later", function()
    local out, stop = neap.channel(), neap.channel()
    neap.scope(function(s)
      local receiver = s:spawn(function()
        neap.sleep("1s")
        return out:recv()
      end)
      local arms = { stop:on_recv(), out:on_send("v", function() return "sent" end) }
      assert.are.equal("sent", neap.select(arms))
      assert.are.equal("v", receiver:await())
    end)
  end)

  it("keeps its value when another arm happens", function()
    local out, stop = neap.channel(), neap.channel()
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("1s")
        stop:send("stop", 1)
      end)
      assert.are.same({ 2, "stop", 1 }, { neap.select { out:on_send("v"), stop:on_recv() } })
      assert.is_nil((out:try_recv()))
    end)
  end)

  it("moves its value into a buffer when there is room", function()
    local out, stop = neap.channel(1), neap.channel()
    out:send("first")
    neap.scope(function(s)
      local receiver = s:spawn(function()
        neap.sleep("1s")
        return out:recv()
      end)
      assert.are.equal(2, (neap.select { stop:on_recv(), out:on_send("second") }))
      assert.are.equal("first", receiver:await())
    end)
    assert.are.equal("second", (out:recv()))
  end)

  it("meets another select", function()
    local ch, never = neap.channel(), neap.channel()
    neap.scope(function(s)
      local sender = start(s, neap.select, { never:on_recv(), ch:on_send("v") })
      assert.are.same({ 1, "v" }, { neap.select { ch:on_recv(), never:on_recv() } })
      assert.are.equal(2, sender:await())
      local receiver = start(s, neap.select, { never:on_send(0), ch:on_recv() })
      assert.are.equal(1, (neap.select { ch:on_send("w"), never:on_recv() }))
      assert.are.same({ 2, "w" }, { receiver:await() })
    end)
  end)

  it("may list the same channel twice", function()
    local ch = neap.channel()
    neap.scope(function(s)
      local receiver = start(s, neap.select, { ch:on_recv(), ch:on_recv() })
      assert.is_true(ch:try_send(1))
      assert.is_nil((ch:try_send(2)))
      assert.are.same({ 1, 1 }, { receiver:await() })
      start(s, neap.select, { ch:on_recv(), ch:on_recv() })
      ch:close()
    end)
  end)

  it("works inside a coroutine of the script's own", function()
    local a, b, out = neap.channel(), neap.channel(), neap.channel()
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("1s")
        a:send("x", "y")
        neap.sleep("1s")
        assert.are.equal("z", (out:recv()))
      end)
      local run = coroutine.wrap(function()
        local r = { neap.select { out:on_send("z"), b:on_recv(), a:on_recv() } }
        r[#r + 1] = neap.select { out:on_send("z"), b:on_recv() }
        return r
      end)
      assert.are.same({ 3, "x", "y", 1 }, run())
    end)
  end)

  it("can use an arm again, also in two tasks at once", function()
    local ch = neap.channel()
    local arms = { ch:on_recv() }
    neap.scope(function(s)
      local first, second = start(s, neap.select, arms), start(s, neap.select, arms)
      ch:send("a")
      ch:send("b")
      assert.are.same({ 1, "a" }, { first:await() })
      assert.are.same({ 1, "b" }, { second:await() })
    end)
  end)

  it("runs the handler outside of the select, where it may wait and raise", function()
    local ch = neap.channel(1)
    ch:send(1)
    assert.are.equal("slept", neap.select {
      ch:on_recv(function()
        neap.sleep("1s")
        return "slept"
      end),
    })
    ch:send(1)
    local err = failure(neap.select, { ch:on_recv(function() error("boom", 0) end) })
    assert.are.equal("boom", err)
    assert.are.equal(0, ch:len())
  end)

  describe("with default", function()
    it("never waits", function()
      local ch = neap.channel()
      assert.are.equal("none", neap.select {
        ch:on_recv(),
        ch:on_recv(),
        default = function() return "none" end,
      })
      assert.are.equal("none", neap.select { default = function() return "none" end })
    end)

    it("still takes an arm that is ready", function()
      local ch = neap.channel(1)
      ch:send("v")
      assert.are.same({ 1, "v" }, { neap.select { ch:on_recv(), default = error } })
    end)

    it("is no checkpoint", function()
      neap.scope(function(s)
        s:cancel()
        local arms = { neap.channel():on_recv(), default = function() return 1 end }
        assert.are.same({ true, 1 }, { neap.raw.pcall(neap.select, arms) })
      end)
    end)
  end)

  describe("neap.after", function()
    it("happens so long after the select has begun", function()
      local ch = neap.channel()
      local slow = neap.after("3s", function() return "slow" end)
      neap.sleep("5s")
      assert.are.equal("slow", neap.select { ch:on_recv(), slow })
      assert.are.equal(8, test.elapsed())
    end)

    it("of several the earliest happens, the first of equal ones", function()
      assert.are.equal(2, (neap.select { neap.after("2s"), neap.after("1s"), neap.after(1) }))
      assert.are.equal(1, test.elapsed())
    end)

    it("of no time is ready at once", function()
      local ch = neap.channel()
      assert.are.equal(2, (neap.select { ch:on_recv(), neap.after(0) }))
    end)

    it("of math.huge never happens", function()
      local ch = neap.channel()
      neap.scope(function(s)
        s:spawn(function()
          neap.sleep("1h")
          ch:send(1)
        end)
        assert.are.equal(2, (neap.select { neap.after(math.huge), ch:on_recv() }))
      end)
    end)

    it("at one instant comes before a deadline", function()
      assert.are.equal(1, (neap.timeout("1s", neap.select, { neap.after("1s") })))
    end)
  end)

  describe("on a closed channel", function()
    it("takes closed ends for those of channels of their own", function()
      local receiver, sender = neap.channel():receiver(), neap.channel():sender()
      receiver:close()
      sender:close()
      assert.are.same({ n = 3, 1, nil, "closed" },
        table.pack(neap.select { receiver:on_recv(), sender:on_send(1) }))
      assert.are.equal("closed", failure(neap.select, { sender:on_send(1), receiver:on_recv() }).kind)
    end)

    it("receives the end, or raises the cause", function()
      local ch, broken = neap.channel(), neap.channel()
      ch:close()
      broken:close("broken")
      assert.are.same({ n = 3, 1, nil, "closed" }, table.pack(neap.select { ch:on_recv() }))
      assert.are.equal("broken", failure(neap.select, { broken:on_recv() }))
    end)

    it("raises closed for a send", function()
      local ch = neap.channel()
      ch:close("broken")
      local err = failure(neap.select, { ch:on_send(1) })
      assert.are.equal("closed", err.kind)
      assert.are.equal("broken", err.cause)
    end)

    it("ends when it is closed meanwhile", function()
      for _, cause in ipairs { false, "broken" } do
        local a, b, c = neap.channel(), neap.channel(), neap.channel()
        neap.scope(function(s)
          local receiver = start(s, neap.select, { a:on_recv(), b:on_recv() })
          local sender = start(s, neap.select, { a:on_recv(), c:on_send(1) })
          b:close(cause or nil)
          c:close(cause or nil)
          if cause then
            assert.are.same({ false, "broken" }, { receiver:outcome() })
          else
            assert.are.same({ n = 4, true, 2, nil, "closed" }, table.pack(receiver:outcome()))
          end
          assert.are.equal("closed", select(2, sender:outcome()).kind)
          assert.is_nil((a:try_send(1)))
        end)
      end
    end)
  end)

  describe("cancelled", function()
    it("while it waits, no arm happens", function()
      local a, b = neap.channel(), neap.channel()
      neap.scope(function(s)
        local task = start(s, neap.select, { a:on_recv(), b:on_send(1), neap.after("1s") })
        task:cancel()
        assert.is_nil((a:try_send(1)))
        assert.is_nil((b:try_recv()))
        task:join()
        assert.are.equal("cancelled", task:status())
      end)
    end)

    it("after an arm has happened, its handler has the value first", function()
      local ch, got = neap.channel()
      neap.scope(function(s)
        local task = start(s, neap.select, { ch:on_recv(function(v)
          got = v
          neap.check()
          got = nil
        end), neap.after("1s") })
        ch:send("v")
        task:cancel()
        task:join()
        assert.are.equal("v", got)
      end)
    end)

    it("before it begins, has no effect", function()
      local ch = neap.channel(1)
      ch:send("v")
      neap.scope(function(s)
        s:cancel()
        assert.is_false(neap.raw.pcall(neap.select, { ch:on_recv() }))
      end)
      assert.are.equal("v", (ch:try_recv()))
    end)
  end)

  describe("misuse", function()
    it("without arms raises usage", function()
      assert.are.equal("usage", failure(neap.select, {}).kind)
      assert.are.equal("usage", failure(neap.select).kind)
    end)

    it("with the same unbuffered channel to send and to receive raises usage", function()
      local ch, buffered = neap.channel(), neap.channel(1)
      local err = failure(neap.select, { ch:on_recv(), ch:on_send(1) })
      assert.are.equal("usage", err.kind)
      assert.are.equal("usage",
        failure(neap.select, { ch:sender():on_send(1), ch:receiver():on_recv() }).kind)
      assert.are.equal(2, (neap.select { buffered:on_recv(), buffered:on_send(1) }))
    end)

    it("with what is no arm raises usage", function()
      local ch = neap.channel()
      assert.are.equal("usage", failure(neap.select, { ch }).kind)
      assert.are.equal("usage", failure(neap.select, { ch:on_recv(), nil, 3 }).kind)
      local hole = failure(neap.select, { ch:on_recv(), nil, ch:on_recv(), default = print })
      assert.matches("arm 2: expected an arm as ch:on_recv() makes one, got nil", hole.message, 1, true)
      local err = failure(neap.select, { ch:on_recv(), defualt = print })
      assert.are.equal("usage", err.kind)
      assert.matches('unknown option "defualt"; did you mean "default"?', err.message, 1, true)
      assert.are.equal("usage", failure(neap.select, { ch:on_recv(), default = 1 }).kind)
      assert.are.equal("usage", failure(ch.on_recv, ch, "handler").kind)
      assert.are.equal("usage", failure(neap.after, "soon").kind)
    end)

    it("blames the caller's line", function()
      local err = failure(function() neap.select {} end)
      assert.matches("^[^:]*select_spec.lua:%d+: ", err.message)
    end)
  end)
end)
