local neap = require("neap")
local test = require("neap.test")

describe("virtual time", function()
  local before = {}
  before_each(function()
    before.began = test.elapsed()
    neap.sleep("1s")
  end)

  it("begins anew with each spec, before what stands before each", function()
    assert.are.equal(0, before.began)
    assert.are.equal(1, test.elapsed())
    neap.sleep("1h")
  end)

  it("begins at 2000-01-01T00:00:00Z", function()
    assert.are.equal(0, before.began)
    assert.are.equal(946684801, neap.now())
  end)

  it("jumps to the next timer, to the nanosecond", function()
    local from = neap.monotonic()
    neap.sleep("1ns")
    neap.sleep(0.25)
    neap.sleep("3d")
    assert.are.equal(1 + 1e-9 + 0.25 + 3 * 86400, test.elapsed())
    assert.is_true(neap.monotonic() - from > 259200)
  end)

  it("is what os.time, os.date and os.clock tell", function()
    neap.sleep(3601.5)
    assert.are.equal(946684800 + 3602, os.time())
    assert.are.equal("integer", math.type(os.time()))
    assert.are.equal("2000-01-01T01:00:02", os.date("!%Y-%m-%dT%H:%M:%S"))
    assert.are.equal(3602.5, os.clock())
    assert.are.equal(2000, os.date("!*t").year)
  end)

  it("leaves the functions of os as they are for a given time", function()
    assert.are.equal(neap.raw.os.time({ year = 2020, month = 5, day = 17 }),
      os.time({ year = 2020, month = 5, day = 17 }))
    assert.are.equal("1970-01-01", os.date("!%Y-%m-%d", 0))
  end)

  it("begins anew also in the turn in which a deadline was due", function()
    for _ = 1, 2 do
      require("neap.core.test").seed(1)
      local log = {}
      neap.timeout_or("1s", function()
        neap.sleep("1s")
        log[1] = test.elapsed()
      end)
      assert.are.same({ 1 }, log)
    end
  end)

  it("keeps the clocks of the machine in neap.raw", function()
    assert.is_true(neap.raw.os.time() > 1700000000)
  end)

  it("counts from the same instant in each spec, so that no rounding differs", function()
    assert.are.equal(2, neap.monotonic())
  end)

  it("stands while a task runs", function()
    local from = neap.now()
    local sum = 0
    for i = 1, 100000 do sum = sum + i end
    assert.are.equal(from, neap.now())
    assert.are.equal(5000050000, sum)
  end)

  it("wakes sleepers of one instant in the order in which they lay down #fifo", function()
    local order = {}
    neap.scope(function(s)
      for i = 1, 5 do
        s:spawn(function()
          neap.sleep(i % 2 == 0 and 1 or 0.5)
          neap.sleep(i % 2 == 0 and 1 or 1.5)
          order[#order + 1] = i
        end)
      end
    end)
    assert.are.same({ 1, 3, 5, 2, 4 }, order)
  end)

  it("draws the same chance for the same seed", function()
    local function draw()
      return { neap.random(), neap.random(1000), neap.uuid() }
    end
    local core = require("neap.core.test")
    core.seed(7)
    local first = draw()
    core.seed(7)
    assert.are.same(first, draw())
    core.seed(8)
    assert.are_not.same(first, draw())
  end)
end)

describe("test.advance", function()
  it("lets exactly that much time pass", function()
    test.advance("90s")
    assert.are.equal(90, test.elapsed())
    test.advance(0)
    assert.are.equal(90, test.elapsed())
  end)

  it("runs what is due on the way, each at its own time", function()
    local at = {}
    neap.scope(function(s)
      s:spawn(function()
        for _ = 1, 3 do
          neap.sleep("2s")
          at[#at + 1] = test.elapsed()
        end
      end)
      test.advance("5s")
      assert.are.same({ 2, 4 }, at)
    end)
  end)

  it("runs timers that are due exactly at its end, also those armed on the way", function()
    local ticks = 0
    neap.scope(function(s)
      s:spawn(function()
        while ticks < 10 do
          neap.sleep("1s")
          ticks = ticks + 1
        end
      end)
      test.advance("3s")
      assert.are.equal(3, ticks)
      assert.are.equal(3, test.elapsed())
    end)
  end)

  it("runs deadlines that are due exactly at its end", function()
    local timed_out
    neap.scope(function(s)
      s:spawn(function()
        timed_out = select(2, neap.timeout_or("3s", neap.sleep, "1h"))
      end)
      test.advance("3s")
      assert.are.equal("timeout", timed_out)
    end)
  end)

  it("raises for what is no duration, before time has passed", function()
    assert.has_error(function() test.advance("soon") end)
    assert.are.equal(0, test.elapsed())
  end)

  it("is ended by a cancellation", function()
    local ok, why = neap.timeout_or("1s", test.advance, "1h")
    assert.is_nil(ok)
    assert.are.equal("timeout", why)
    assert.are.equal(1, test.elapsed())
  end)
end)

describe("test.run_until_idle", function()
  it("lets others run until none can go on, and no time pass", function()
    local steps = 0
    neap.scope(function(s)
      s:spawn(function()
        for _ = 1, 1000 do
          steps = steps + 1
          neap.yield()
        end
        neap.sleep("1s")
        steps = steps + 1
      end)
      test.run_until_idle()
      assert.are.equal(1000, steps)
      assert.are.equal(0, test.elapsed())
    end)
  end)

  it("runs sleeps of no length, which are due now", function()
    local done = false
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep(0)
        neap.sleep(0)
        done = true
      end)
      test.run_until_idle()
      assert.is_true(done)
    end)
  end)

  it("returns at once when nobody else can run", function()
    test.run_until_idle()
    assert.are.equal(0, test.elapsed())
  end)

  it("serves several tasks at a time", function()
    local idle = 0
    neap.scope(function(s)
      for _ = 1, 3 do
        s:spawn(function()
          test.run_until_idle()
          idle = idle + 1
        end)
      end
    end)
    assert.are.equal(3, idle)
  end)

  it("raises if the task is cancelled while it waits", function()
    local reached = false
    local s <close> = neap.scope()
    local task = s:spawn(function()
      test.run_until_idle()
      reached = true
    end)
    s:spawn(function() task:cancel() end)
    task:join()
    assert.are.equal("cancelled", task:status())
    assert.is_false(reached)
  end)
end)

describe("test.real_time", function()
  it("makes all clocks the machine's", function()
    test.real_time(function()
      assert.is_true(math.abs(neap.now() - neap.raw.os.time()) < 2)
      assert.is_true(math.abs(os.time() - neap.raw.os.time()) < 2)
      local from, real = neap.monotonic(), neap.now()
      neap.sleep("20ms")
      assert.is_true(neap.monotonic() - from >= 0.020)
      assert.is_true(neap.now() - real >= 0.019)
    end)
  end)

  it("goes on afterwards where virtual time stood", function()
    neap.sleep("1s")
    local now, monotonic = neap.now(), neap.monotonic()
    test.real_time(neap.sleep, "10ms")
    assert.are.equal(1, test.elapsed())
    assert.are.equal(now, neap.now())
    assert.are.equal(monotonic, neap.monotonic())
    neap.sleep("1s")
    assert.are.equal(2, test.elapsed())
  end)

  it("goes on where virtual time stood when the function raises", function()
    assert.has_error(function() test.real_time(error, "boom", 0) end, "boom")
    neap.sleep("1h")
    assert.are.equal(3600, test.elapsed())
  end)

  it("returns what the function returns", function()
    assert.are.same({ 1, nil, 3 }, { test.real_time(function(...) return ... end, 1, nil, 3) })
  end)

  it("obeys deadlines in a busy slice", function()
    local err = test.real_time(function()
      local _, err = pcall(neap.timeout, "60ms", function() while true do end end)
      return err
    end)
    assert.are.equal("timeout", err.kind)
  end)

  it("may be nested", function()
    test.real_time(function()
      test.real_time(function() end)
      assert.is_true(neap.now() > 1700000000)
    end)
    assert.are.equal(946684800, neap.now())
  end)
end)

describe("test.schedules", function()
  -- The order in which three tasks run.
  local function order()
    local ran = {}
    neap.scope(function(s)
      for i = 1, 3 do s:spawn(function() ran[#ran + 1] = i end) end
    end)
    return table.concat(ran)
  end

  it("runs the function under that many orders, of which none is left out", function()
    local seen, runs = {}, 0
    test.schedules(100, function()
      runs = runs + 1
      seen[order()] = true
    end)
    local kinds = 0
    for _ in pairs(seen) do kinds = kinds + 1 end
    if not test.seed then
      assert.are.equal(100, runs)
      assert.are.equal(6, kinds)
    end
  end)

  it("is first in, first out again afterwards", function()
    test.schedules(3, order)
    if not test.seed then assert.are.equal("123", order()) end
  end)

  it("runs the same order for the same seed", function()
    local first, second = {}, {}
    test.schedules(10, function() first[#first + 1] = order() end)
    test.schedules(10, function() second[#second + 1] = order() end)
    assert.are.same(first, second)
  end)

  it("begins time and the turns of a fair select anew in each run", function()
    local full = neap.channel(99)
    for i = 1, 99 do full:send(i) end
    local began
    test.schedules(3, function()
      assert.are.equal(0, test.elapsed())
      began = began or neap.monotonic()
      assert.are.equal(began, neap.monotonic())
      local turns = {}
      for i = 1, 3 do turns[i] = neap.select { full:on_recv(), full:on_recv(), fair = true } end
      assert.are.same({ 1, 2, 1 }, turns)
      neap.sleep("5s")
    end)
  end)

  it("gives fair selects the same turns, however many tasks there were before", function()
    local full, runs = neap.channel(999), {}
    for i = 1, 999 do full:send(i) end
    local function turns()
      local chosen = {}
      local function choose()
        chosen[#chosen + 1] = neap.select { full:on_recv(), full:on_recv(), fair = true }
      end
      choose()
      neap.scope(function(s) for _ = 1, 300 do s:spawn(choose) end end)
      runs[#runs + 1] = table.concat(chosen)
    end
    test.schedules(1, turns)
    order()
    test.schedules(1, turns)
    assert.are.equal(runs[1], runs[2])
  end)

  it("ends a turn after as many tasks, however many it ran before", function()
    local counts = {}
    local function count()
      local yields = 0
      neap.timeout_or("0s", function()
        while true do
          neap.yield()
          yields = yields + 1
        end
      end)
      counts[#counts + 1] = yields
    end
    for before = 1, 5 do
      for _ = 1, before do neap.yield() end
      test.schedules(1, count)
    end
    for i = 2, 5 do assert.are.equal(counts[1], counts[i]) end
  end)

  it("moves no clock back that somebody waits for", function()
    local woken
    neap.scope(function(s)
      s:spawn(function()
        neap.sleep("1m")
        woken = neap.monotonic()
      end)
      neap.sleep("30s")
      local before = neap.monotonic()
      test.schedules(1, function() assert.are.equal(before, neap.monotonic()) end)
      s:join()
      assert.are.equal(before + 30, woken)
    end)
  end)

  it("passes its further arguments on", function()
    test.schedules(1, function(a, b) assert.are.same({ 1, 2 }, { a, b }) end, 1, 2)
  end)

  it("raises usage for a number that is none", function()
    for _, wrong in ipairs({ 0, -1, 1.5, "3" }) do
      local ok, err = pcall(test.schedules, wrong, function() end)
      assert.is_false(ok)
      assert.are.equal("usage", err.kind)
    end
  end)
end)

describe("neap.app", function()
  it("is there in each spec, and empty", function()
    assert.are.equal(0, #neap.app.failures)
    neap.app:spawn(function() neap.sleep("1s") end)
  end)
end)

describe("neap.tasks", function()
  -- The node of the task called `name`.
  local function find(node, name)
    if node.name == name then return node end
    for _, child in ipairs(node.children) do
      local found = find(child, name)
      if found then return found end
    end
  end

  it("names what a task waits for by what its script has called", function()
    local sleep = neap.sleep
    local calls = {
      ["scope:start"] = function()
        neap.scope(function(s) s:start(function(ready) sleep("1s") ready() end) end)
      end,
      ["actor:ask"] = function()
        neap.scope(function(s) s:actor({ get = function() sleep("1s") end }):ask("get") end)
      end,
      ["neap.suspend"] = function()
        neap.scope(function(s)
          neap.suspend(function(resume) s:spawn(function() sleep("1s") resume(true) end) end)
        end)
      end,
      ["state:changed"] = function()
        local state = neap.state(1)
        neap.timeout_or("1s", function() state:changed() end)
      end,
      ["task:join sleeps"] = function()
        neap.scope(function(s) s:spawn({ name = "sleeps" }, sleep, "1s"):join() end)
      end,
      ["task:outcome sleeps"] = function()
        neap.scope(function(s) s:spawn({ name = "sleeps" }, sleep, "1s"):outcome() end)
      end,
      ["neap.all"] = function() neap.all { function() sleep("1s") end } end,
      ["neap.map"] = function() neap.map({ "1s" }, sleep) end,
      ["neap.supervisor"] = function() neap.supervisor(function(s) s:spawn(sleep, "1s") end) end,
      ["neap.step"] = function()
        local failed = false
        neap.saga(function()
          neap.step("x", { retry = { base = "1s" }, run = function()
            if not failed then failed = true error("once") end
          end })
        end)
      end,
      ["neap.select"] = function() neap.select { neap.after("1s") } end,
      ["neap.sleep"] = function() sleep("1s") end,
    }
    neap.scope(function(s)
      for _, call in pairs(calls) do s:spawn({ name = "caller" }, call) end
      test.run_until_idle()
      local function look(task)
        if task.name == "caller" and task.waiting then calls[task.waiting] = nil end
        for _, child in ipairs(task.children) do look(child) end
      end
      look(neap.tasks())
    end)
    assert.are.same({}, calls)
  end)

  it("gives the tree from the root on, with what each task waits for and where", function()
    neap.scope({ name = "outer" }, function(s)
      local sleeper = s:spawn({ name = "sleeper" }, function()
        neap.scope(function(inner)
          inner:spawn({ name = "inner" }, function() neap.channel():recv() end)
          neap.sleep("1s")
          inner:cancel()
        end)
      end)
      local waiter = s:spawn({ name = "waiter" }, function() sleeper:await() end)
      s:spawn({ name = "lazy", lazy = true }, function() end)
      test.run_until_idle()

      local root = neap.tasks()
      assert.are.equal("main", root.name)
      local node = find(root, "sleeper")
      assert.are.equal(sleeper.id, node.id)
      assert.are.equal("waiting", node.status)
      assert.are.equal("neap.sleep", node.waiting)
      assert.are.equal("outer", node.scope)
      assert.truthy(node.place:find("spec/neap/test_spec.lua:%d+$"))
      assert.truthy(node.spawned_at:find("spec/neap/test_spec.lua:%d+$"))
      assert.are.equal("number", type(node.since))
      assert.are.equal("number", type(node.busy))
      assert.are.equal("inner", node.children[1].name)
      assert.are.equal("channel:recv", node.children[1].waiting)
      assert.are.equal("task:await sleeper", find(root, "waiter").waiting)
      assert.are.equal("lazy", find(root, "lazy").status)
      assert.is_nil(find(root, "lazy").waiting)
      waiter:await()
    end)
  end)

  it("tells how long a task has been active, in seconds, without the time in which it waited", function()
    local clock = neap.raw.os.clock
    neap.scope(function(s)
      s:spawn({ name = "worker" }, function()
        for _ = 1, 2 do
          local began = clock()
          while clock() - began < 0.020 do end
          neap.sleep("1h")
        end
      end)
      neap.sleep("3m")
      local first = find(neap.tasks(), "worker").busy
      neap.sleep("1h")
      local second = find(neap.tasks(), "worker").busy
      assert.is_true(first >= 0.019 and first < 10)
      assert.is_true(second - first >= 0.019 and second < 10)
      s:cancel()
    end)
  end)

  it("shows the asking task as running, at its own line", function()
    local node
    neap.scope(function(s)
      s:spawn({ name = "asker" }, function() node = find(neap.tasks(), "asker") end)
    end)
    assert.are.equal("running", node.status)
    assert.truthy(node.place:find("test_spec.lua:%d+$"))
  end)

  it("finds the place inside a coroutine of the script", function()
    local line
    neap.scope(function(s)
      s:spawn({ name = "nested" }, function()
        local co = coroutine.wrap(function()
          coroutine.wrap(function()
            line = debug.getinfo(1, "l").currentline + 1
            neap.sleep("1s")
          end)()
        end)
        co()
      end)
      test.run_until_idle()
      assert.truthy(find(neap.tasks(), "nested").place:find(":" .. line .. "$"))
    end)
  end)
end)
