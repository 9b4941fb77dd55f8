local neap = require("neap")
local test = require("neap.test")

local path = package.path

-- The least of some readings: the kernel counts a thread that has been joined for a moment more.
local function count_threads()
  local least = math.huge
  test.real_time(function()
    for _ = 1, 10 do
      for line in io.lines("/proc/self/status") do
        least = math.min(least, tonumber(line:match("^Threads:%s+(%d+)")) or math.huge)
      end
      neap.sleep("2ms")
    end
  end)
  return least
end

describe("neap.isolates", function()
  setup(function() package.path = "spec/neap/isolates/?.lua;" .. path end)
  teardown(function() package.path = path end)

  it("runs a module's function beside the script, with a channel between", function()
    local group <close> = neap.isolates(1, "echo")
    group:send({ 1, { x = 2.5 } }, "second")
    local first, second = group:recv()
    assert.are.same({ 1, { x = 2.5 } }, first)
    assert.are.equal("second", second)
  end)

  it("gives each isolate a state and a thread of its own", function()
    local before = count_threads()
    do
      local group <close> = neap.isolates(3, "echo")
      local ids = {}
      for i = 1, #group do
        group[i]:send("id")
        ids[group[i]:recv()] = true
      end
      local count = 0
      for _ in pairs(ids) do count = count + 1 end
      assert.are.equal(3, count)
      assert.are.equal(before + 3, count_threads())
    end
    assert.are.equal(before, count_threads())
  end)

  it("runs tasks in an isolate as in the script", function()
    local group <close> = neap.isolates(1, "echo")
    group:send("tasks")
    assert.are.same({ 1, 2, 3 }, { (group:recv()), (group:recv()), (group:recv()) })
  end)

  it("sends to each in turn, and receives from any", function()
    local group <close> = neap.isolates(3, "echo")
    for i = 1, 6 do group:send(i) end
    local got = {}
    for i = 1, 3 do
      for _ = 1, 2 do got[#got + 1] = group[i]:recv() end
    end
    assert.are.same({ 1, 4, 2, 5, 3, 6 }, got)
    for i = 1, 30 do group:send(i) end
    local sum = 0
    for _ = 1, 30 do
      local v = group:recv()
      sum = sum + v
    end
    assert.are.equal(465, sum)
  end)

  it("passes over one that has no room", function()
    local group <close> = neap.isolates(2, "echo", { capacity = 2 })
    group[1]:send("busy")
    assert.are.equal("busy", group[1]:recv())
    repeat until group[1]:try_send("fill") == nil
    for i = 1, 20 do
      group:send(i)
      assert.are.equal(i, group[2]:recv())
    end
  end)

  it("holds a bounded number of values in each direction", function()
    local group <close> = neap.isolates(1, "echo", { capacity = 5 })
    group:send("flood")
    repeat neap.yield() until group[1]:len() == 5
    local last
    repeat
      local v = group:recv()
      if v == 5 and last == 5 then break end
      last = v
    until false

    group:send("busy")
    assert.are.equal("busy", group:recv())
    local sent = 0
    while group[1]:try_send(1) do sent = sent + 1 end
    assert.are.equal(5, sent)
    assert.are.same({ nil, "full" }, { group[1]:try_send(1) })
    assert.are.same({ nil, "timeout" }, { neap.timeout_or("10ms", group.send, group, 1) })
  end)

  it("hands a hundred thousand values over in order", function()
    local group <close> = neap.isolates(1, "echo")
    neap.scope(function(s)
      s:spawn(function() for i = 1, 100000 do group:send(i) end end)
      for i = 1, 100000 do
        if group:recv() ~= i then error("out of order at " .. i) end
      end
    end)
  end)

  it("lets those who wait for a value have it in their order", function()
    local group <close> = neap.isolates(1, "echo")
    local order = {}
    neap.scope(function(s)
      for i = 1, 4 do
        s:spawn(function()
          local v = group[1]:recv()
          order[#order + 1] = i .. "=" .. v
        end)
      end
      neap.yield()
      for v = 1, 4 do group:send(v) end
    end)
    table.sort(order)
    assert.are.same({ "1=1", "2=2", "3=3", "4=4" }, order)
  end)

  it("offers its channels to neap.select", function()
    local group <close> = neap.isolates(2, "echo")
    group[2]:send("x")
    assert.are.equal("got x", neap.select {
      group[1]:on_recv(function() return "wrong" end),
      group[2]:on_recv(function(v) return "got " .. v end),
    })
    assert.are.equal("sent", neap.select { group[1]:on_send("y", function() return "sent" end) })
    assert.are.equal("y", group[1]:recv())
    assert.are.same({ nil, "timeout" }, { group[1]:recv_within("5ms") })
    assert.are.same({ nil, "empty" }, { group[1]:try_recv() })
  end)

  it("tells a sender that waits in a select when there is room", function()
    local group <close> = neap.isolates(1, "echo", { capacity = 1 })
    for i = 1, 200 do
      neap.select { group[1]:on_send(i), neap.after("10s") }
      assert.are.equal(i, (neap.select { neap.after("10s"), group[1]:on_recv(function(v) return v end) }))
    end
    neap.scope(function(s)
      s:spawn(function() for i = 1, 200 do neap.select { group[1]:on_send(i) } end end)
      for i = 1, 200 do assert.are.equal(i, group:recv()) end
    end)
  end)

  it("refuses what cannot be copied, with its place", function()
    local group <close> = neap.isolates(1, "echo")
    local ok, e = pcall(group.send, group, { items = { print } })
    assert.is_false(ok)
    assert.are.equal("usage", e.kind)
    assert.matches("isolates_spec%.lua:%d+: .*value 1%.items%[1%]: a function", e.message)
    ok, e = pcall(group.send, group, nil)
    assert.is_false(ok)
    assert.matches("nil cannot be sent", e.message, 1, true)
    ok, e = pcall(group[1].send, group[1], print)
    assert.is_false(ok)
    assert.matches("value 1: a function", e.message, 1, true)
  end)

  it("refuses a package.path that is no string", function()
    local before <close> = neap.defer(function(was) package.path = was end, package.path)
    package.path = print
    local ok, e = pcall(neap.isolates, 1, "echo")
    assert.is_false(ok)
    assert.matches("isolates_spec%.lua:%d+: neap%.isolates: package%.path: string expected, got function", e.message)
    assert.is_not_nil(before)
  end)

  it("refuses what it cannot start", function()
    for _, wrong in ipairs({ { 0, "echo" }, { 257, "echo" }, { 1.5, "echo" }, { "x", "echo" }, { 1, 2 },
                             { 1, "echo", { capacity = 0 } }, { 1, "echo", { capcity = 1 } } }) do
      local ok, e = pcall(neap.isolates, table.unpack(wrong))
      assert.is_false(ok)
      assert.are.equal("usage", e.kind)
      assert.matches("isolates_spec%.lua:%d+: ", e.message)
    end
  end)
end)

describe("the end of an isolate", function()
  setup(function() package.path = "spec/neap/isolates/?.lua;" .. path end)
  teardown(function() package.path = path end)

  it("by returning closes its channel", function()
    local group <close> = neap.isolates(2, "echo")
    group[1]:send("last")
    group[1]:send("bye")
    assert.are.equal("last", group[1]:recv())
    assert.are.same({ nil, "closed" }, { group[1]:recv() })
    assert.is_true(group[1]:is_closed())
    local ok, e = pcall(group[1].send, group[1], 1)
    assert.is_false(ok)
    assert.are.equal("closed", e.kind)
    group:send("to the other")
    assert.are.equal("to the other", group:recv())
    group:send("bye")
    assert.are.same({ nil, "closed" }, { group:recv() })
    ok, e = pcall(group.send, group, 1)
    assert.is_false(ok)
    assert.are.equal("closed", e.kind)
  end)

  it("by an error is the cause that its channel is closed with", function()
    local group <close> = neap.isolates(2, "echo")
    group[1]:send("before")
    group[1]:send("fail")
    assert.are.equal("before", group[1]:recv())
    local ok, e = pcall(group[1].recv, group[1])
    assert.is_false(ok)
    assert.are.equal("mine: it failed", tostring(e))
    assert.are.same({ 1 }, e.data)
    assert.matches("echo.lua:%d+:", e.traceback)
    ok, e = pcall(group[1].send, group[1], 1)
    assert.is_false(ok)
    assert.are.equal("closed", e.kind)
    assert.are.equal("mine: it failed", tostring(e.cause))
    ok, e = pcall(group.recv, group)
    assert.is_false(ok)
    assert.are.equal("mine: it failed", tostring(e))
  end)

  it("by an error that nobody received is raised where the group is left", function()
    local ok, e = pcall(function()
      local group <close> = neap.isolates(2, "echo")
      group[2]:send("fail")
      while not group[2]:is_closed() do neap.yield() end
    end)
    assert.is_false(ok)
    assert.are.equal("mine: it failed", tostring(e))
  end)

  it("is the cause when nobody leaves the group", function()
    local ok, e = pcall(neap.scope, function()
      local group = neap.isolates(2, "echo")
      group[2]:send("fail")
      while not group[2]:is_closed() do neap.yield() end
    end)
    assert.is_false(ok)
    assert.are.equal("structure", e.kind)
    assert.are.equal("mine: it failed", tostring(e.cause))
  end)

  it("gives way to the error by which the group is left", function()
    local ok, e = pcall(function()
      local group <close> = neap.isolates(1, "echo")
      group:send("fail")
      while not group[1]:is_closed() do neap.yield() end
      error("first", 0)
    end)
    assert.is_false(ok)
    assert.are.equal("first", e)
  end)

  it("stands in the others of that error", function()
    local ok, e = pcall(function()
      local group <close> = neap.isolates(2, "echo")
      group[1]:send("fail")
      group[2]:send("late")
      group[2]:recv()
      while not group[1]:is_closed() do neap.yield() end
      error(neap.error("mine", "first"))
    end)
    assert.is_false(ok)
    assert.are.equal("mine: first", tostring(e))
    assert.are.equal(2, #e.others)
    assert.are.equal("mine: it failed", tostring(e.others[1]))
    assert.are.equal("mine: its cleanup failed", tostring(e.others[2]))
  end)

  it("comes before a timeout and a cancellation by which the group is left", function()
    local function fail(word)
      local group <close> = neap.isolates(1, "echo")
      group:send(word)
      neap.event():wait()
    end
    for word, message in pairs { fail = "mine: it failed", late = "mine: its cleanup failed" } do
      local ok, e = pcall(neap.timeout_or, "50ms", fail, word)
      assert.is_false(ok)
      assert.are.equal(message, tostring(e))
      assert.are.equal("timeout", e.others[1].kind)

      ok, e = pcall(neap.scope, function(s)
        s:spawn(fail, word)
        neap.sleep("50ms")
        s:cancel()
      end)
      assert.is_false(ok)
      assert.are.equal(message, tostring(e))
    end
  end)

  it("in its cleanup is raised where the group is left; further ones are its others", function()
    local ok, e = pcall(function()
      local group <close> = neap.isolates(2, "echo")
      for i = 1, 2 do
        group[i]:send("late")
        group[i]:recv()
      end
    end)
    assert.is_false(ok)
    assert.are.equal("mine: its cleanup failed", tostring(e))
    assert.are.equal(1, #e.others)
    assert.are.equal("mine: its cleanup failed", tostring(e.others[1]))
  end)

  it("after its channel was closed is raised where the group is left", function()
    local group = neap.isolates(1, "echo")
    group:send("afterwards")
    assert.are.equal("waits", group:recv())
    group[1]:close()
    assert.are.same({ nil, "closed" }, { group:recv() })
    local ok, e = pcall(group.close, group)
    assert.is_false(ok)
    assert.are.equal("mine: it failed at last", tostring(e))
    group:close()
  end)

  it("is none when the script has closed its channel with a cause, or leaves while it sends", function()
    for _ = 1, 5 do
      local group <close> = neap.isolates(2, "echo")
      group[1]:send("pour")
      assert.are.equal("more", group[1]:recv())
      group[2]:send("x")
      group[2]:recv()
      group[2]:send("bye")
      group[2]:close("enough")
    end
  end)

  it("is that of its module, if that cannot be used", function()
    local function open(module)
      local group <close> = neap.isolates(1, module)
      group:recv()
    end
    local ok, e = pcall(open, "no_such_module")
    assert.is_false(ok)
    assert.matches("module 'no_such_module' not found", e, 1, true)
    ok, e = pcall(open, "counter")
    assert.is_false(ok)
    assert.are.equal("usage", e.kind)
    assert.matches("^[^\n]*isolates_spec.lua:%d+: neap.isolates: module counter returned a table", e.message)
  end)

  it("comes when all its tasks wait for nothing that could come", function()
    local group <close> = neap.isolates(1, "echo")
    group:send("hang")
    local ok, e = pcall(group.recv, group)
    assert.is_false(ok)
    assert.are.equal("deadlock", e.kind)
  end)

  it("comes when its channel is closed, by either side", function()
    local group <close> = neap.isolates(1, "echo")
    group:send("x")
    assert.are.equal("x", group:recv())
    group[1]:close()
    assert.are.same({ nil, "closed" }, { group:recv() })
    local ok, e = pcall(group.send, group, 1)
    assert.is_false(ok)
    assert.are.equal("closed", e.kind)
  end)

  it("comes when the group is left, whatever it does", function()
    local threads = count_threads()
    local begun = neap.monotonic()
    do
      local group <close> = neap.isolates(3, "echo")
      group[2]:send("x")
      group[1]:send("busy")
      assert.are.equal("busy", group[1]:recv())
    end
    assert.is_true(neap.monotonic() - begun < 2)
    assert.are.equal(threads, count_threads())
  end)

  it("comes when the group is left before it has begun", function()
    local group = neap.isolates(2, "echo")
    group:close()
    group:close()
    assert.are.equal("closed", select(2, group:recv()))
  end)

  it("comes when a task that waits for it is cancelled", function()
    local threads = count_threads()
    assert.are.equal("timeout", select(2, neap.timeout_or("30ms", function()
      local group <close> = neap.isolates(2, "echo")
      group:send("busy")
      group:recv()
      group:recv()
    end)))
    assert.are.equal(threads, count_threads())
  end)

  it("does not lose a value that came before the cancellation", function()
    local group <close> = neap.isolates(1, "echo")
    local got
    neap.scope(function(s)
      local receiver = s:spawn(function()
        local v = group[1]:recv()
        got = v
      end)
      neap.yield()
      group:send("x")
      -- It comes while this task holds the loop.
      test.real_time(function()
        local till = neap.monotonic() + 0.05
        repeat until neap.monotonic() >= till
      end)
      s:spawn(function() receiver:cancel() end)
      neap.yield()
    end)
    if got == nil then got = group:recv() end
    assert.are.equal("x", got)
  end)
end)
