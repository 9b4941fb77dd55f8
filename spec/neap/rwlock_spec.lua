local neap = require("neap")
local test = require("neap.test")

describe("neap.rwlock", function()
  it("lets readers in together and a writer alone", function()
    local lock = neap.rwlock()
    neap.scope(function(s)
      for _ = 1, 3 do
        s:spawn(function()
          local _ <close> = lock:read()
          neap.sleep("10ms")
        end)
      end
      test.run_until_idle()
      for _ = 1, 2 do
        s:spawn(function()
          local _ <close> = lock:write()
          neap.sleep("10ms")
        end)
      end
    end)
    assert.are.equal(0.030, test.elapsed()) -- all readers at once, then each writer
  end)

  it("stops later readers when a writer waits, so it does not starve", function()
    local lock, order = neap.rwlock(), {}
    neap.scope(function(s)
      for _, kind in ipairs({ "read", "write", "read" }) do
        s:spawn(function()
          local _ <close> = lock[kind](lock)
          order[#order + 1] = kind
          neap.sleep("10ms")
        end)
        test.run_until_idle()
      end
      assert.are.same({ nil, "locked" }, { lock:try_read() })
    end)
    assert.are.same({ "read", "write", "read" }, order)
  end)

  it("tries without waiting", function()
    local lock = neap.rwlock()
    neap.scope(function(s)
      local reader = assert(lock:try_read())
      s:spawn(function()
        local _ <close> = assert(lock:try_read())
        assert.are.same({ nil, "locked" }, { lock:try_write() })
      end):await()
      reader:release()
      local _ <close> = assert(lock:try_write())
      s:spawn(function()
        assert.are.same({ nil, "locked" }, { lock:try_read() })
        assert.are.same({ nil, "locked" }, { lock:try_write() })
      end):await()
    end)
  end)

  it("raises usage when its holder locks it again, in either way", function()
    local lock = neap.rwlock()
    for _, first in ipairs({ "read", "write" }) do
      local guard <close> = lock[first](lock)
      for _, second in ipairs({ "read", "write" }) do
        local ok, err = pcall(lock[second], lock)
        assert.is_false(ok)
        assert.are.equal("usage", err.kind)
        assert.are.same({ nil, "locked" }, { lock["try_" .. second](lock) })
      end
      guard:release()
    end
  end)

  it("lets readers in when the writer before them is cancelled", function()
    local lock = neap.rwlock()
    neap.scope(function(s)
      local guard = lock:read()
      local writer = s:spawn(lock.write, lock)
      test.run_until_idle()
      local reader = s:spawn(function()
        local _ <close> = lock:read()
        return "in"
      end)
      test.run_until_idle()
      writer:cancel()
      assert.are.equal("in", reader:await())
      guard:release()
    end)
  end)

  it("stays with a writer that was cancelled after the hand-over", function()
    local lock, got = neap.rwlock(), false
    neap.scope(function(s)
      local guard = lock:read()
      local writer = s:spawn(function()
        local _ <close> = lock:write()
        got = true
        neap.sleep("1h")
      end)
      test.run_until_idle()
      guard:release()
      writer:cancel()
    end)
    assert.is_true(got)
    local _ <close> = assert(lock:try_write())
  end)

  it("stays with readers that were cancelled after the hand-over, and with none before", function()
    local lock, got = neap.rwlock(), {}
    neap.scope(function(s)
      local guard, readers = lock:write(), {}
      for i = 1, 3 do
        readers[i] = s:spawn(function()
          local _ <close> = lock:read()
          got[#got + 1] = i
          neap.sleep("1h")
        end)
      end
      test.run_until_idle()
      readers[2]:cancel()
      guard:release()
      readers[1]:cancel()
      readers[3]:cancel()
    end)
    table.sort(got)
    assert.are.same({ 1, 3 }, got)
    local _ <close> = assert(lock:try_write())
  end)

  it("is free when the body that held it raises", function()
    local lock = neap.rwlock()
    assert.has_error(function()
      local _ <close> = lock:write()
      error("boom", 0)
    end, "boom")
    local _ <close> = assert(lock:try_write())
  end)

  it("takes a guard back that a task still holds at its end", function()
    local lock = neap.rwlock()
    neap.scope(function(s)
      s:spawn(function() lock:write() end):join()
      local _ <close> = assert(lock:try_read())
    end)
  end)

  it("refuses a release by another task", function()
    local lock = neap.rwlock()
    neap.scope(function(s)
      local guard <close> = lock:read()
      local ok, err = s:spawn({ guard = true }, guard.release, guard):outcome()
      assert.is_false(ok)
      assert.are.equal("usage", err.kind)
    end)
  end)
end)
