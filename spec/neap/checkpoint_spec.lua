local ledger = require("spec.neap.ledger")
local neap = require("neap")
local test = require("neap.test")

-- Each case makes what its tasks share and gives a list of steps, and partners that run
-- beside them. The steps are cut off in all the ways and at all the moments there are, and
-- each time the books must balance; `check(done)` may look at more. A step begins with a
-- checkpoint, if it does not `opens` a scope first. One that `fails` raises "boom".
local cases = {}

local function ms(n) return neap.sleep(n / 1000) end
local function wait() ms(1) end

-- `n` tasks, each of which does `fn` over and over.
local function partners(n, fn)
  local list = {}
  for i = 1, n do
    list[i] = function()
      while true do fn(i) end
    end
  end
  return list
end

-- What is begun once is ended once, each in its turn.
local function bracket(books)
  local depth = 0
  books.books[#books.books + 1] = { settle = function()
    if depth ~= 0 then books:problem("%d are still inside", depth) end
  end }
  return function(fn, ...)
    depth = depth + 1
    local _ <close> = neap.defer(function() depth = depth - 1 end)
    return fn(...)
  end
end

cases["sending without a buffer"] = function(books)
  local ch = books:channel()
  return {
    steps = { function() ch:send() end, wait, function() ch:send() end, function() ch:send() end },
    partners = partners(2, function(i)
      ms(i)
      ch:recv(i)
    end),
  }
end

cases["receiving without a buffer"] = function(books)
  local ch, by = books:channel(), {}
  return {
    steps = { function() ch:recv(by) end, wait, function() ch:recv(by) end,
      function() ch:recv_within(by, 0.0005) end, function() ch:recv_within(by, 0.005) end },
    partners = partners(2, function(i)
      ms(i)
      ch:send()
    end),
  }
end

cases["a buffer at its bound"] = function(books)
  local ch, by = books:channel({ capacity = 1 }), {}
  return {
    steps = { function() ch:send() end, function() ch:send() end, function() ch:send() end,
      function() ch:recv(by) end, function() ch:send() end },
    partners = partners(1, function(i)
      ms(2)
      ch:recv(i)
    end),
  }
end

cases["a channel that closes"] = function(books)
  local ch = books:channel({ capacity = 1 })
  return {
    steps = { function() ch:send() end, function() pcall(ch.send, ch) end, wait },
    partners = { function()
      ms(1)
      ch.channel:close()
    end },
  }
end

cases["a channel that is aborted"] = function(books)
  local ch = books:channel({ capacity = 2 })
  return {
    steps = { function() ch:send() end, function() ch:send() end, function() pcall(ch.send, ch) end },
    partners = { function()
      ms(1)
      ch.channel:abort()
    end },
  }
end

cases["a select of four"] = function(books)
  local from, to, by = books:channel(), books:channel({ capacity = 1 }), {}
  local mutex, d = books:mutex(), neap.deferred()
  local function choose()
    local on_lock, ticket = mutex:on_lock(wait)
    neap.select { from:on_recv(by), to:on_send(), on_lock, d:on_await() }
    mutex:withdraw(ticket)
  end
  return {
    steps = { choose, choose, wait, choose, choose },
    partners = {
      function() mutex:run(ms, 3) end,
      function()
        ms(1)
        from:send()
        ms(1)
        to:recv(0)
        d:resolve(1)
      end,
    },
  }
end

cases["publishing"] = function()
  local hub = neap.broadcast({ capacity = 1 })
  local first, second, got = hub:subscribe(), hub:subscribe(), { {}, {} }
  local n = 0
  local function publish()
    n = n + 1
    hub:publish(n)
  end
  return {
    steps = { publish, publish, wait, publish },
    partners = partners(2, function(i)
      ms(i)
      table.insert(got[i], ((i == 1 and first or second):recv()))
    end),
    -- All subscribers have the same values, in the same order.
    check = function()
      for i, subscriber in ipairs { first, second } do
        local value = subscriber:try_recv()
        while value do
          table.insert(got[i], value)
          value = subscriber:try_recv()
        end
      end
      assert.are.same(got[1], got[2])
    end,
  }
end

cases["waiting for a change"] = function()
  local st, last = neap.state(0), 0
  local function changed()
    local value = st:changed()
    assert(value > last)
    last = value
  end
  return {
    steps = { changed, changed, wait, changed },
    partners = partners(1, function()
      ms(1)
      st:set(st:get() + 1)
    end),
  }
end

cases["a mutex"] = function(books)
  local mutex = books:mutex()
  local function lock() mutex:run(wait) end
  return { steps = { lock, lock, wait, lock }, partners = partners(2, lock) }
end

cases["a mutex whose body fails"] = function(books)
  local mutex = books:mutex()
  local function fail()
    mutex:run(function()
      wait()
      error("boom", 0)
    end)
  end
  return { steps = { wait, fail }, partners = partners(2, function() mutex:run(wait) end), fails = true }
end

cases["several permits at once"] = function(books)
  local gate = books:semaphore(3)
  local function two() gate:run(2, wait) end
  return { steps = { two, two, function() gate:run(3, wait) end },
    partners = partners(3, function(i) gate:run(i, wait) end) }
end

cases["readers and writers"] = function(books)
  local lock = books:rwlock()
  return { steps = { function() lock:read(wait) end, function() lock:write(wait) end,
    function() lock:read(wait) end },
    partners = partners(3, function(i)
      if i == 1 then lock:write(wait) else lock:read(wait) end
    end) }
end

cases["a condition"] = function(books)
  local mutex, items = books:mutex(), 0
  local filled = neap.condition(mutex.mutex)
  local function take()
    while items == 0 do mutex:wait(filled) end
    items = items - 1
  end
  local function taker() mutex:run(take) end
  return {
    steps = { taker, taker, wait, taker },
    partners = {
      table.unpack(partners(1, function()
        ms(1)
        mutex:run(function()
          wait()
          items = items + 1
          filled:notify()
        end)
      end)),
      table.unpack(partners(1, taker)),
    },
    check = function() assert.is_true(items >= 0) end,
  }
end

cases["event, latch and barrier"] = function()
  local event, latch, barrier = neap.event(), neap.latch(2), neap.barrier(2)
  return {
    steps = { function() event:wait() end, function() latch:wait() end, function() barrier:wait() end,
      function() barrier:wait() end },
    partners = { function()
      ms(1)
      event:set()
      ms(1)
      latch:count_down(2)
      barrier:wait()
      ms(1)
      barrier:wait()
    end },
  }
end

cases["deferred, and a callback"] = function(books)
  local d, inside, resumes = neap.deferred(), bracket(books), {}
  local function suspend()
    inside(neap.suspend, function(resume)
      resumes[#resumes + 1] = resume
      return function() table.remove(resumes) end
    end)
  end
  return {
    steps = { function() assert(d:await() == "value") end, suspend, suspend },
    partners = { function()
      ms(1)
      d:resolve("value")
    end, table.unpack(partners(1, function()
      ms(1)
      if resumes[1] then table.remove(resumes, 1)(true) end
    end)) },
  }
end

cases["a scope with children"] = function(books)
  local inside, mutex = bracket(books), books:mutex()
  local function family()
    neap.scope(function(s)
      for i = 1, 3 do s:spawn(inside, mutex.run, mutex, ms, i) end
      s:spawn({ lazy = true }, error)
      s:spawn(inside, neap.scope, function(inner)
        inner:spawn(inside, ms, 2)
        ms(1)
      end)
    end)
  end
  local function block()
    local s <close> = neap.scope()
    s:spawn(inside, ms, 2)
    s:spawn({ guard = true }, inside, ms, 1):await()
  end
  return { opens = true, steps = { family, block } }
end

cases["children of which one fails"] = function(books)
  local inside = bracket(books)
  return { opens = true, fails = true, steps = { function()
    neap.scope(function(s)
      s:spawn(inside, ms, 3)
      s:spawn(inside, function()
        ms(1)
        error("boom", 0)
      end)
      inside(ms, 2)
    end)
  end } }
end

cases["a supervisor that starts again"] = function(books)
  local inside, runs = bracket(books), 0
  return { opens = true, steps = { function()
    neap.supervisor({ restart = { strategy = "one_for_all" }, on_error = function() end }, function(s)
      s:spawn(inside, ms, 2)
      s:spawn(inside, function()
        runs = runs + 1
        ms(1)
        if runs < 3 then error("again", 0) end
      end)
    end)
  end } }
end

cases["a task that tells when it is ready"] = function(books)
  local inside = bracket(books)
  return { opens = true, steps = { function()
    neap.scope(function(s)
      assert(s:start(function(ready)
        inside(ms, 1)
        ready("up")
        inside(ms, 1)
      end) == "up")
      ms(1)
    end)
  end } }
end

cases["an actor"] = function(books)
  local inside = bracket(books)
  return { opens = true, steps = { function()
    neap.scope(function(s)
      local a = s:actor({ capacity = 1 }, { add = function(_, n)
        inside(ms, n)
        return n
      end })
      a:tell("add", 1)
      assert(a:ask("add", 2) == 2)
      a:tell("add", 1)
    end)
  end } }
end

cases["the joins"] = function(books)
  local inside = bracket(books)
  local function after(n) return function() return inside(ms, n) end end
  return { steps = {
    function() neap.all { after(1), after(2) } end,
    function() neap.race { after(1), after(2) } end,
    function() neap.any { error, after(1), after(2) } end,
    function() neap.quorum(2, { after(1), after(1), after(2) }) end,
    function() neap.map({ 1, 1, 1 }, function(n) inside(ms, n) end, { limit = 2 }) end,
  } }
end

cases["a flow"] = function(books)
  local inside = bracket(books)
  return { steps = { function()
    neap.flow(function(emit)
      for i = 1, 4 do
        inside(wait)
        emit(i)
      end
    end):buffer(1):parallel_map(function(n)
      inside(wait)
      return n
    end, { limit = 2 }):collect(function() inside(wait) end)
  end } }
end

cases["a saga"] = function()
  local done = {}
  local function step(name)
    neap.step(name, {
      run = function()
        done[#done + 1] = name
        wait()
      end,
      undo = function()
        wait()
        assert.are.equal(name, table.remove(done))
      end,
    })
  end
  return {
    steps = { function()
      neap.saga(function()
        for _, name in ipairs { "one", "two", "three" } do step(name) end
      end)
    end },
    check = function(ended) assert.are.equal(ended and 3 or 0, #done) end,
  }
end

cases["cleaning up, under a shield"] = function(books)
  local inside, cleaned = bracket(books), 0
  local begun = 0
  local function with_cleanup()
    begun = begun + 1
    local _ <close> = neap.defer(function()
      neap.shield("1s", function()
        inside(ms, 1)
        cleaned = cleaned + 1
      end)
    end)
    inside(ms, 1)
  end
  return { steps = { with_cleanup, with_cleanup },
    check = function() assert.are.equal(begun, cleaned) end }
end

cases["boundaries within boundaries"] = function(books)
  local inside = bracket(books)
  return { opens = true, steps = {
    function() neap.timeout_or(0.001, inside, neap.timeout_or, 0.002, inside, ms, 3) end,
    function() pcall(neap.timeout, 0.001, inside, neap.shield, 0.003, inside, ms, 2) end,
    function() neap.with({ id = 1 }, inside, neap.try, inside, ms, 1) end,
    function() neap.raw.pcall(inside, ms, 1) end,
    function() neap.check() end,
  } }
end

cases["coroutines of the script's own"] = function(books)
  local ch, by, inside = books:channel(), {}, bracket(books)
  return {
    steps = { function()
      local next_one = coroutine.wrap(function()
        for _ = 1, 3 do
          ch:recv(by)
          coroutine.yield()
          inside(ms, 1)
        end
      end)
      for _ = 1, 3 do
        next_one()
        coroutine.wrap(inside)(ms, 1)
      end
    end },
    partners = partners(1, function()
      ms(1)
      ch:send()
    end),
  }
end

-- How the steps are run, so that `cut` cuts them off.
local ways = {}

ways["as a task"] = function(s, body, run)
  run.task = s:spawn({ guard = true }, body)
  run.cut = function() return run.task:cancel() end
end

ways["with its scope"] = function(s, body, run)
  run.task = s:spawn({ guard = true }, function()
    local done = {}
    neap.scope(function(inner)
      run.cut = function() return inner:cancel() end
      body()
      run.cut, done.ok = nil, true
    end)
    if not done.ok then error("cut", 0) end
  end)
end

ways["from above"] = function(s, body, run)
  run.task = s:spawn({ guard = true }, function()
    local done = {}
    neap.scope(function(outer)
      run.cut = function() return outer:cancel() end
      local task = outer:spawn({ guard = true }, body)
      done.ok, done.err = task:outcome()
    end)
    if not done.ok then error(done.err or "cut", 0) end
  end)
end

-- One run, cut off before step `at.step`, or after `at.ms` and that many turns. Were the
-- steps done?
local function cut_off(make, way, at)
  local books, run = ledger.new(), {}
  local case = make(books)
  local cut_off_at
  local function body()
    for i, step in ipairs(case.steps) do
      if i == at.step then
        cut_off_at = i
        run.cut()
      end
      if cut_off_at == i then
        local ok, err = neap.raw.pcall(step)
        if ok and case.opens then return neap.check() end
        if ok or not neap.is_cancelled(err) then
          books:problem("cancelled before it, step %d ended with %s, %s", i, tostring(ok), tostring(err))
        end
        error(err, 0)
      end
      step()
    end
  end
  neap.scope(function(s)
    for _, partner in ipairs(case.partners or {}) do s:spawn(partner) end
    way(s, body, run)
    if at.ms then
      ms(at.ms)
      for _ = 1, at.turns do neap.yield() end
      if run.cut then run.cut() end
    end
    run.task:join()
    s:cancel()
  end)
  local done, err = run.task:result()
  if not done and case.fails and err == "boom" then done = true end
  books:check_alone()
  books:check()
  if case.check then case.check(done) end
  return done
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function label(way, at)
  return ("%s, before step %s, after %s ms and %s turns"):format(way, tostring(at.step),
    tostring(at.ms), tostring(at.turns))
end

-- Cut it off there; an error says where.
local function attempt(name, way, at)
  local result = table.pack(pcall(cut_off, cases[name], ways[way], at))
  if not result[1] then error(label(way, at) .. ": " .. tostring(result[2]), 0) end
  return result[2]
end

describe("cancelled at every checkpoint and in every turn,", function()
  for _, name in ipairs(sorted(cases)) do
    it(name .. " leaves nothing behind", function()
      local cuts = 0
      for _, way in ipairs(sorted(ways)) do
        local step = 0
        repeat
          step = step + 1
          local done = attempt(name, way, { step = step })
          assert.is_true(step < 100)
          if not done then cuts = cuts + 1 end
        until done

        local at_ms, done = 0, nil
        repeat
          for turns = 0, 6 do
            done = attempt(name, way, { ms = at_ms, turns = turns })
            if not done then cuts = cuts + 1 end
          end
          at_ms = at_ms + 0.5
          assert.is_true(at_ms < 100)
        until done
      end
      assert.is_true(cuts >= 20)
      test.run_until_idle()
    end)
  end
end)
