local neap = require("neap")
local test = require("neap.test")

describe("neap.error", function()
  it("makes an error object of a kind and a message", function()
    local e = neap.error("stock", "nothing left of 12", { code = "E7", cause = "why", data = { 1 } })
    assert.are.equal("stock", e.kind)
    assert.are.equal("nothing left of 12", e.message)
    assert.are.equal("E7", e.code)
    assert.are.equal("why", e.cause)
    assert.are.same({ 1 }, e.data)
  end)

  it("has the operation that failed in op, and begins its message with it", function()
    local path = os.tmpname()
    neap.fs.write(path, "two\nlines\n")
    local failures = {
      ["closed channel:send"] = function()
        local ch = neap.channel(1)
        ch:close()
        ch:send(1)
      end,
      ["closed broadcast:publish"] = function()
        local hub = neap.broadcast()
        hub:close()
        hub:publish(1)
      end,
      ["closed actor:ask"] = function()
        neap.scope(function(s) return s:actor({ read = print }) end):ask("read")
      end,
      ["closed stream:read"] = function()
        local file = neap.fs.open(path)
        file:close()
        file:read()
      end,
      ["timeout neap.timeout"] = function() neap.timeout("1s", neap.sleep, "2s") end,
      ["timeout neap.scope"] = function() neap.scope({ deadline = "1s" }, function() neap.sleep("2s") end) end,
      ["timeout neap.shield"] = function() neap.shield("1s", neap.sleep, "2s") end,
      ["timeout neap.supervisor"] = function()
        neap.supervisor({ deadline = "1s" }, function() neap.sleep("2s") end)
      end,
      ["timeout neap.step"] = function()
        neap.step("pay", { timeout = "1s", retry = { attempts = 1 }, run = function() neap.sleep("2s") end })
      end,
      ["timeout neap.process.run"] = function() neap.process.run { "sleep", "9", timeout = "10ms" } end,
      ["timeout flow:timeout"] = function()
        neap.flow(function() neap.sleep("2s") end):timeout("1s"):collect()
      end,
      ["cancelled neap.scope"] = function()
        local s <close> = neap.scope()
        s:cancel()
        neap.sleep(1)
      end,
      ["limit neap.fs.read"] = function() neap.fs.read(path, { max_bytes = 1 }) end,
      ["limit stream:read"] = function()
        local file <close> = neap.fs.open(path)
        file:read("line", { max_line = 1 })
      end,
      ["io neap.fs.read"] = function() neap.fs.read("/no/such") end,
      ["io neap.process.spawn"] = function() neap.process.spawn { "no-such-program" } end,
      ["failed neap.process.run"] = function() neap.process.run { "false", check = true } end,
      ["failed neap.any"] = function() neap.any { error } end,
      ["failed mutex:lock"] = function()
        local m = neap.mutex()
        neap.scope(function(s)
          s:spawn(function()
            m:lock()
            neap.yield()
          end)
          neap.yield()
          m:lock()
        end)
      end,
      ["structure scope:start"] = function() neap.app:start(type) end,
      ["structure coroutine.yield"] = function()
        coroutine.wrap(function()
          local _ <close> = neap.scope()
          coroutine.yield()
        end)()
      end,
      ["json neap.json.decode"] = function() neap.json.decode("[") end,
      ["json neap.json.encode"] = function() neap.json.encode(print) end,
    }
    for what, fail in pairs(failures) do
      local ok, err = pcall(fail)
      assert.is_false(ok)
      assert.are.equal(what, ("%s %s"):format(err.kind, err.op))
      assert.are.equal(err.op, err.message:sub(1, #err.op))
    end
    os.remove(path)
  end)

  it("names the call that the script has written for a deadline among its options", function()
    local function late() neap.sleep("2s") end
    local function message(fn, ...) return select(2, pcall(fn, ...)).message end
    assert.are.equal('neap.step "pay": not done within 1s',
      message(neap.step, "pay", { timeout = "1s", retry = { attempts = 1 }, run = late }))
    assert.are.equal("neap.process.run sleep 9: not done within 10ms",
      message(neap.process.run, { "sleep", "9", timeout = "10ms" }))
    assert.matches('"pay" failed: timeout: neap%.step "pay": undo: not done within 1s',
      message(neap.saga, { undo_retry = { attempts = 1 }, timeout = "1s" }, function()
        neap.step("pay", { run = function() end, undo = late })
        neap.reject("no")
      end))
  end)

  it("of a timeout_or that was late stands in the others of what its body raises", function()
    local ok, err = pcall(neap.timeout_or, "1s", function()
      neap.raw.pcall(neap.sleep, "2s")
      error(neap.error("mine", "m"))
    end)
    assert.is_false(ok)
    assert.are.equal("neap.timeout_or", err.others[1].op)
  end)

  it("has the operation beside a message that begins with the name of a text", function()
    local _, err = pcall(neap.json.lines("[", { name = "a.jsonl" }))
    assert.are.equal("neap.json.lines", err.op)
    assert.are.equal("a.jsonl:1:", err.message:sub(1, 10))
  end)

  it("takes an operation of the script's own", function()
    assert.are.equal("pay", neap.error("refused", "no", { op = "pay" }).op)
    assert.is_nil(neap.error("refused", "no").op)
  end)

  it("gives one line by tostring", function()
    assert.are.equal("stock: nothing\\nleft", tostring(neap.error("stock", "nothing\nleft")))
    assert.are.equal("plain", tostring(neap.error("error", "plain")))
  end)

  it("refuses a kind or message that is no text, and an unknown field", function()
    for _, args in ipairs({ { nil, "message" }, { "kind" }, { "kind", "message", { cod = 1 } } }) do
      local ok, e = pcall(neap.error, table.unpack(args, 1, 3))
      assert.is_false(ok)
      assert.are.equal("usage", e.kind)
    end
  end)

  it("keeps the same value on its way through scopes", function()
    local mine = neap.error("mine", "m")
    local _, e = pcall(neap.scope, function() error(mine) end)
    assert.are.equal(mine, e)
  end)
end)

describe("neap.cancelled", function()
  it("is nil in a task that is not cancelled", function()
    assert.is_nil(neap.cancelled())
  end)

  it("gives the reason", function()
    local reason
    neap.scope(function(s)
      s:cancel("enough")
      reason = neap.cancelled()
    end)
    assert.are.equal("cancelled", reason.kind)
    assert.are.equal("enough", reason.message)
    assert.is_nil(neap.cancelled())
  end)

  it("sees no more than its deadline under a shield", function()
    local inside, before, after
    neap.scope(function(s)
      s:cancel()
      pcall(neap.shield, "1s", function()
        before = neap.cancelled()
        inside = "ran"
        pcall(neap.raw.pcall, neap.sleep, "2s")
        after = neap.cancelled()
      end)
    end)
    assert.are.equal("ran", inside)
    assert.is_nil(before)
    assert.are.equal("deadline", after.kind)
  end)
end)

describe("neap.is_cancelled", function()
  it("is true for the cancellation of the running task", function()
    local seen
    neap.scope(function(s)
      s:cancel()
      local _, e = neap.raw.pcall(neap.sleep, 1)
      seen = neap.is_cancelled(e)
    end)
    assert.is_true(seen)
  end)

  it("is false for any other value", function()
    neap.scope(function(s)
      s:cancel()
      assert.is_false(neap.is_cancelled(nil))
      assert.is_false(neap.is_cancelled("cancelled"))
      assert.is_false(neap.is_cancelled(neap.error("cancelled", "mine")))
    end)
  end)

  it("is false for another task's cancellation, and once the scope has been left", function()
    local e
    neap.scope(function(s)
      local task = s:spawn(neap.sleep, "1s")
      test.run_until_idle()
      task:cancel()
      local _, err = task:outcome()
      assert.are.equal("cancelled", err.kind)
      assert.is_false(neap.is_cancelled(err))
      s:cancel()
      _, e = neap.raw.pcall(neap.sleep, 1)
    end)
    assert.are.equal("cancelled", e.kind)
    assert.is_false(neap.is_cancelled(e))
  end)
end)
