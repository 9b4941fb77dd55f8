local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local catch = support.raised

local function counter(log)
  return {
    count = 0,
    add = function(self, n)
      neap.sleep("10ms")
      self.count = self.count + n
      if log then log[#log + 1] = self.count end
    end,
    get = function(self, ...) return self.count, ... end,
    fail = function(_, err) error(err, 0) end,
    fail_late = function(_, err)
      neap.sleep("1ms")
      error(err, 0)
    end,
    wait = function() neap.sleep(math.huge) end,
  }
end

describe("scope:actor", function()
  it("handles one message after the other, in the order in which they were sent", function()
    neap.scope(function(s)
      local a = s:actor(counter())
      neap.all({ function() a:ask("add", 1) end, function() a:ask("add", 10) end })
      assert.are.equal(0.020, test.elapsed())
      assert.are.same({ 11, "x", "y" }, { a:ask("get", "x", "y") })
    end)
  end)

  it("goes on after a tell without waiting for it to be handled", function()
    neap.scope(function(s)
      local a = s:actor(counter())
      a:tell("add", 5)
      assert.are.equal(0, test.elapsed())
      assert.are.equal(5, a:ask("get"))
    end)
  end)

  it("lets a sender wait while the mailbox is full", function()
    neap.scope(function(s)
      local a = s:actor({ capacity = 1 }, counter())
      a:tell("add", 1)
      test.run_until_idle()     -- it is being handled
      a:tell("add", 1)
      assert.are.equal(0, test.elapsed())
      a:tell("add", 1)
      assert.are.equal(0.010, test.elapsed())
    end)
  end)

  it("drains its mailbox when the scope is left", function()
    local log = {}
    neap.scope(function(s)
      local a = s:actor(counter(log))
      for _ = 1, 3 do a:tell("add", 1) end
    end)
    assert.are.same({ 1, 2, 3 }, log)
  end)

  it("is there until all other tasks of the scope have ended", function()
    local log = {}
    neap.scope(function(s)
      local a = s:actor(counter(log))
      s:spawn(function()
        neap.sleep("1s")
        a:tell("add", 1)
      end)
    end)
    assert.are.same({ 1 }, log)
  end)

  it("ends before those that were there before it, which it can still tell", function()
    local log = {}
    neap.scope(function(s)
      local logger = s:actor({ say = function(_, what) log[#log + 1] = what end })
      local worker = s:actor({ work = function()
        neap.sleep("10ms")
        logger:tell("say", "worked")
      end })
      worker:tell("work")
    end)
    assert.are.same({ "worked" }, log)
  end)

  it("does not keep scope:join waiting", function()
    neap.scope(function(s)
      local a = s:actor(counter())
      s:spawn(neap.sleep, "10ms")
      s:join()
      assert.are.equal(0.010, test.elapsed())
      a:tell("add", 1)
    end)
  end)

  it("is cancelled with its scope; what it was asked raises `closed`", function()
    local asked, queued
    neap.scope(function(outer)
      local a
      outer:spawn(function()
        neap.scope(function(s)
          a = s:actor(counter())
          neap.sleep("10ms")
          s:cancel()
        end)
      end)
      test.run_until_idle()
      outer:spawn(function() asked = catch(a.ask, a, "wait") end)
      test.run_until_idle()
      outer:spawn(function() queued = catch(a.ask, a, "get") end)
      outer:join()
      assert.are.equal("closed", catch(a.tell, a, "get").kind)
    end)
    assert.are.equal("closed", asked.kind)
    assert.are.equal("closed", queued.kind)
    assert.are.equal(0.010, test.elapsed())
  end)

  it("refuses messages when it was cancelled before it began", function()
    local a
    neap.scope(function(s)
      s:cancel()
      a = s:actor(counter())
    end)
    assert.are.equal("closed", catch(a.tell, a, "get").kind)
  end)

  it("answers whoever asked, in whatever order it is asked, cancelled and begun", function()
    test.schedules(40, function()
      neap.scope(function(outer)
        local a, answer
        neap.scope(function(s)
          outer:spawn(function() answer = select(2, pcall(a.ask, a, "get")) end)
          outer:spawn(function() s:cancel() end)
          a = s:actor(counter())
          neap.sleep(math.huge)
        end)
        outer:join()
        assert.is_true(answer == 0 or answer.kind == "closed")
        assert.are.equal("closed", catch(a.tell, a, "get").kind)
      end)
    end)
  end)

  it("raises `closed` after its scope has been left", function()
    local a
    neap.scope(function(s) a = s:actor(counter()) end)
    local e = catch(a.ask, a, "get")
    assert.are.equal("closed", e.kind)
    assert.is_truthy(e.message:find("actor", 1, true))
  end)

  it("fails its scope by a crash, with the error itself", function()
    local mine = neap.error("mine", "m")
    local e = catch(neap.scope, function(s)
      s:actor(counter()):tell("fail", mine)
      neap.sleep(math.huge)
    end)
    assert.are.equal(mine, e)
    assert.is_nil(e.others)
  end)

  it("raises a crash in the asker, too, and once in the scope", function()
    local mine = neap.error("mine", "m")
    local e = catch(neap.scope, function(s) s:actor(counter()):ask("fail", mine) end)
    assert.are.equal(mine, e)
    assert.is_nil(e.others)
  end)

  it("with guard does not fail the scope by a crash that an asker got", function()
    neap.scope(function(s)
      local a = s:actor({ guard = true }, counter())
      assert.are.equal("boom", catch(a.ask, a, "fail", "boom"))
      neap.sleep("1ms")
    end)
  end)

  it("with guard fails the scope by a crash that nobody heard of", function()
    assert.has_error(function()
      neap.scope(function(s)
        s:actor({ guard = true }, counter()):tell("fail", "boom")
      end)
    end, "boom")
    assert.has_error(function()
      neap.scope(function(s)
        local a = s:actor({ guard = true }, {
          fail = function()
            neap.sleep("20ms")
            error("late", 0)
          end,
        })
        assert.are.equal("timeout", select(2, neap.timeout_or("10ms", a.ask, a, "fail")))
      end)
    end, "late")
    assert.has_error(function()
      neap.scope(function(s)
        local asker
        s:spawn(function()
          neap.sleep("10ms")
          asker:cancel()
        end)
        local a = s:actor({ guard = true }, {
          fail = function()
            neap.sleep("10ms")
            error("in the turn of the cancellation", 0)
          end,
        })
        asker = s:spawn(a.ask, a, "fail")
      end)
    end, "in the turn of the cancellation")
  end)

  it("closes its mailbox by a crash: asks that wait and later calls raise `closed`", function()
    neap.scope(function(s)
      local a = s:actor({ guard = true, capacity = 1 }, counter())
      local first = s:spawn({ guard = true }, a.ask, a, "fail_late", "boom")
      test.run_until_idle()
      local settled = neap.settle({
        first,
        function() a:ask("get") end,        -- one is in the mailbox,
        function() a:ask("get") end,        -- one waits to get in
      })
      assert.are.equal("boom", settled[1].err)
      for i = 2, 3 do
        assert.are.equal("closed", settled[i].err.kind)
        assert.are.equal("boom", settled[i].err.cause)
      end
      for _, call in ipairs({ a.tell, a.ask }) do
        local e = catch(call, a, "get")
        assert.are.equal("closed", e.kind)
        assert.are.equal("boom", e.cause)
      end
    end)
  end)

  it("does not carry out an ask that was cancelled before its turn", function()
    local log = {}
    neap.scope(function(s)
      local a = s:actor(counter(log))
      a:tell("add", 1)
      assert.are.equal("timeout", select(2, neap.timeout_or("5ms", a.ask, a, "add", 10)))
    end)
    assert.are.same({ 1 }, log)

    neap.scope(function(s)      -- in the turn in which it would have been
      local asker
      local a = s:actor({ wait = function()
        neap.sleep("10ms")
        asker:cancel()
      end, add = function() log[#log + 1] = "add" end })
      a:tell("wait")
      asker = s:spawn(a.ask, a, "add")
    end)
    assert.are.same({ 1 }, log)
  end)

  it("has answered who is cancelled after that, and carries out what began before it", function()
    local log, answer = {}, nil
    neap.scope(function(s)
      local a = s:actor(counter(log))
      local given_up = s:spawn({ guard = true }, a.ask, a, "add", 1)
      test.run_until_idle()
      given_up:cancel()
      local asker = s:spawn(function() answer = a:ask("get") end)
      while asker:status() ~= "waiting" do neap.yield() end
      neap.sleep("10ms")
      while asker:status() == "waiting" do neap.yield() end
      asker:cancel()
    end)
    assert.are.same({ 1 }, log)
    assert.are.equal(1, answer)
  end)

  it("refuses a message for which there is no method, at the caller", function()
    neap.scope(function(s)
      local a = s:actor(counter())
      local e = catch(a.tell, a, "ad", 1)
      assert.are.equal("usage", e.kind)
      assert.is_truthy(e.message:find('did you mean "add"', 1, true))
      assert.are.equal("usage", catch(a.ask, a, "count").kind)
      assert.are.equal("usage", catch(a.ask, a).kind)
    end)
  end)

  it("refuses to ask itself, and can tell itself while there is room", function()
    neap.scope(function(s)
      local a, asked, full
      a = s:actor({ capacity = 2 }, {
        ask_self = function() asked = catch(a.ask, a, "ask_self") end,
        again = function()
          a:tell("ask_self")
          a:tell("ask_self")
          full = catch(a.tell, a, "ask_self")
        end,
      })
      a:ask("again")
      a:ask("ask_self")
      assert.are.equal("usage", asked.kind)
      assert.are.equal("usage", full.kind)
    end)
  end)

  it("checks its arguments", function()
    neap.scope(function(s)
      assert.are.equal("usage", catch(s.actor, s, 1).kind)
      assert.are.equal("usage", catch(s.actor, s, { gaurd = true }, {}).kind)
      assert.are.equal("usage", catch(s.actor, s, { capacity = 0 }, {}).kind)
    end)
  end)

  it("that has ended is no matter to who is cancelled: that raises", function()
    local ended = neap.scope(function(s) return s:actor(counter()) end)
    neap.scope(function(s)
      assert.are.equal("closed", catch(ended.ask, ended, "get").kind)
      s:cancel()
      for _, method in ipairs { "ask", "tell" } do
        local _, err = neap.raw.pcall(ended[method], ended, "get")
        assert(neap.is_cancelled(err), method)
      end
    end)
  end)

  it("is not heard of by a supervisor if an asker got its crash, and not started again", function()
    local heard = {}
    neap.supervisor({ on_error = function(e) heard[#heard + 1] = e end }, function(s)
      local a = s:actor(counter())
      catch(a.ask, a, "fail", "boom")
      s:actor(counter()):tell("fail", "unheard")
    end)
    assert.are.same({ "unheard" }, heard)

    heard = {}
    neap.supervisor({ restart = {}, on_error = function(e) heard[#heard + 1] = e end }, function(s)
      s:actor(counter()):tell("fail", "boom")
      neap.sleep("1s")
    end)
    assert.are.same({ "boom" }, heard)
  end)
end)
