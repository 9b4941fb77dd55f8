local json = require("neap.json")
local neap = require("neap")
local pool = require("neap.work")
local test = require("neap.test")

-- What comes back from another thread.
local function echo(...) return neap.work(function(...) return ... end, ...) end

local function nest(depth)
  local value = {}
  for _ = 2, depth do value = { value } end
  return value
end

-- A loop that nothing but an interruption ends.
local function busy()
  while true do t = {} end -- luacheck: ignore 111
end

-- Until no thread is kept by a job that was cancelled; how long that took.
local function until_free()
  return test.real_time(function()
    local begun = neap.monotonic()
    while pool.stats().kept > 0 do neap.sleep("2ms") end
    return neap.monotonic() - begun
  end)
end

local function usage_of(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok)
  assert.are.equal("usage", e.kind)
  assert.matches("^[^\n]*work_spec%.lua:%d+: neap%.work: ", e.message)
  return e.message
end

describe("neap.work", function()
  it("runs a function on another thread and returns what it returns", function()
    local a, b, c, n = neap.work(function(...) return (...) * 2, nil, "c", select("#", ...) end, 21, nil, nil)
    assert.are.equal(42, a)
    assert.is_nil(b)
    assert.are.equal("c", c)
    assert.are.equal(3, n)
    assert.are.equal(0, select("#", neap.work(function() end)))
  end)

  it("lets the other tasks run meanwhile", function()
    local turns = 0
    neap.scope(function(s)
      s:spawn(function() while not neap.cancelled() do turns = turns + 1 neap.sleep("1ms") end end)
      neap.work(function() local till = os.clock() + 0.05 repeat until os.clock() >= till end)
      s:cancel()
    end)
    assert.is_true(turns > 1)      -- the first one may be before the work
  end)

  it("lets virtual time run with the wall clock while a job is under way", function()
    assert.is_nil((neap.timeout_or("20ms", neap.work, busy)))
    assert.is_true(test.elapsed() >= 0.020 and test.elapsed() < 5)
    until_free()
  end)

  it("calls a function that a module has, by name", function()
    assert.are.equal("ababab", neap.work("string.rep", "ab", 3))
    assert.are.equal("[1,2]", neap.work("neap.json.encode", { 1, 2 }))
  end)

  it("finds modules where the script finds them", function()
    local before <close> = neap.defer(function(path) package.path = path end, package.path)
    package.path = "spec/neap/isolates/?.lua;" .. package.path
    assert.are.equal(7, neap.work("counter.add", 3, 4))
    assert.is_not_nil(before)
  end)

  it("refuses a package.path that is no string", function()
    local before <close> = neap.defer(function(path) package.path = path end, package.path)
    package.path = print
    assert.matches("package.path: string expected, got function", usage_of(neap.work, "math.abs", 1), 1, true)
    assert.is_not_nil(before)
  end)

  it("raises when the module or its function is missing", function()
    local ok, e = pcall(neap.work, "no_such_module.run")
    assert.is_false(ok)
    assert.matches("module 'no_such_module' not found", tostring(e), 1, true)
    assert.matches("string.nope is a nil value, not a function", usage_of(neap.work, "string.nope"), 1, true)
  end)

  it("refuses what it cannot run", function()
    assert.matches("got number", usage_of(neap.work, 1))
    assert.matches('"module.function" expected', usage_of(neap.work, "print"), 1, true)
    assert.matches('"module.function" expected', usage_of(neap.work, ".x"), 1, true)
    assert.matches("neap.blocking", usage_of(neap.work, print), 1, true)
  end)

  it("names the upvalues that it refuses", function()
    local rate, places = 1, {}
    local message = usage_of(neap.work, function(x) return x * rate + #places + #tostring(x) end, 1)
    assert.matches("uses rate, places of the code around it", message, 1, true)
  end)
end)

describe("what neap.work copies", function()
  it("is the same value, of the same type, to the last bit", function()
    for _, value in ipairs({ 0, -1, math.maxinteger, math.mininteger, 0.0, -0.0, 1.5, 1e308, math.huge,
                             -math.huge, 2^53, true, false, "", "\0\255\0", ("x"):rep(100000) }) do
      local got = echo(value)
      assert.are.equal(value, got)
      assert.are.equal(math.type(value), math.type(got))
    end
    assert.are.equal(-math.huge, 1 / echo(-0.0))
    local nan = echo(0 / 0)
    assert.is_true(nan ~= nan)
  end)

  it("is tables with keys of each kind that may be one, and holes", function()
    local value = { 1, 2, nil, 4, [-1] = "i", [1.5] = "f", [true] = "b", s = { t = { {} } }, [2^60 | 0] = 1 }
    assert.are.same(value, echo(value))
    assert.are.same({}, echo({}))
  end)

  it("is a tree: a table that is reached twice arrives as two", function()
    local shared = { 1 }
    local got = echo({ a = shared, b = shared })
    assert.are.same({ a = { 1 }, b = { 1 } }, got)
    assert.are_not.equal(got.a, got.b)
  end)

  it("is json.null and the mark of json.array, too", function()
    local got = echo({ none = json.null, list = json.array {} })
    assert.are.equal('{"list":[],"none":null}', json.encode(got))
  end)

  it("is error objects, with all they hold", function()
    local e = neap.error("mine", "text", { code = "C", data = { 1, { 2 } }, cause = neap.error("deep", "cause") })
    local got = echo(e)
    assert.are.equal("mine: text", tostring(got))
    assert.are.equal("C", got.code)
    assert.are.same({ 1, { 2 } }, got.data)
    assert.are.equal("deep: cause", tostring(got.cause))
  end)

  it("is no function, userdata, coroutine, metatable or table as a key", function()
    for what, value in pairs({ ["a function"] = print, ["a coroutine"] = coroutine.create(print),
                               ["a FILE*"] = io.stdout, ["a neap.channel"] = neap.channel(),
                               ["a table with a metatable"] = setmetatable({}, {}),
                               ["a key that is a table"] = { [{}] = 1 } }) do
      local message = usage_of(echo, 1, value)
      assert.matches("argument 2: " .. what .. " cannot be copied to another thread", message, 1, true)
    end
  end)

  it("is refused with its place", function()
    assert.matches("argument 2.items[3].price: a function", usage_of(echo, 1, { items = { 1, 2, { price = print } } }),
      1, true)
    assert.matches('argument 1["two words"]:', usage_of(echo, { ["two words"] = print }), 1, true)
    assert.matches("result 2.at[1]: a function",
      usage_of(neap.work, function() return 1, { at = { print } } end), 1, true)
  end)

  it("is no cycle", function()
    local t = { a = {} }
    t.a.b = t
    assert.matches("argument 1.a.b: a cycle (it is argument 1 again)", usage_of(echo, t), 1, true)
    local u = {}
    u.v = { w = {} }
    u.v.w[1] = u.v
    assert.matches("argument 1.v.w[1]: a cycle (it is argument 1.v again)", usage_of(echo, u), 1, true)
  end)

  it("is at most 200 tables inside one another", function()
    local got, depth = echo(nest(200)), 0
    while got do got, depth = got[1], depth + 1 end
    assert.are.equal(200, depth)
    assert.matches("nested in more than 200 tables", usage_of(echo, nest(201)), 1, true)
  end)

  it("is what neap.with has bound, as far as it can be", function()
    local id, fn = neap.with({ id = { 7 }, fn = print }, neap.work, function()
      local context = require("neap").context
      return context.id, context.fn == nil
    end)
    assert.are.same({ 7 }, id)
    assert.is_true(fn)
    assert.is_nil(neap.work(function() return require("neap").context.id end))
  end)
end)

describe("a function on another thread", function()
  it("has Lua's libraries, json, require and pcall", function()
    assert.are.equal("a-b {\"x\":1}", neap.work(function()
      local encoded = require("neap.json").encode({ x = 1 })
      local ok, e = pcall(error, "e", 0)
      assert(not ok and e == "e")
      return ("a b"):gsub(" ", "-") .. " " .. encoded
    end))
  end)

  it("has globals of its own, which are gone afterwards", function()
    for _ = 1, 20 do
      assert.is_true(neap.work(function()
        local clean = leaked == nil and _G.leaked == nil -- luacheck: ignore 113
        leaked = 1 -- luacheck: ignore 111
        return clean and _G.leaked == 1 and rawget(_G, "leaked") == 1
      end))
    end
  end)

  it("cannot suspend, not in a coroutine either", function()
    local function try(fn)
      local ok, e = pcall(neap.work, fn)
      assert.is_false(ok)
      assert.are.equal("usage", e.kind)
      assert.matches("work_spec.lua:%d+: .*neap%.work", e.message)
      return e.message
    end
    assert.matches("neap.sleep: cannot suspend in neap.work", try(function() require("neap").sleep(0) end), 1, true)
    assert.matches("cannot suspend in neap.work", try(function()
      coroutine.wrap(function() require("neap").channel():recv() end)()
    end), 1, true)
    assert.matches("neap.work: cannot suspend in neap.work", try(function()
      require("neap").work(function() end)
    end), 1, true)
    assert.matches("no task can be started in neap.work", try(function()
      require("neap").scope(function(s) s:spawn(print) end)
    end), 1, true)
  end)

  it("obeys a timeout of its own", function()
    local got = neap.work(function()
      local inner = require("neap")
      return select(2, inner.timeout_or("20ms", function() while true do t = {} end end)) -- luacheck: ignore 111
    end)
    assert.are.equal("timeout", got)
  end)

  it("hands over what it raises, whatever that is", function()
    local ok, e = pcall(neap.work, function() error("text", 0) end)
    assert.is_false(ok)
    assert.are.equal("text", e)
    ok, e = pcall(neap.work, function() error({ code = 5 }) end)
    assert.is_false(ok)
    assert.are.same({ code = 5 }, e)
    ok, e = pcall(neap.work, function() error() end)
    assert.is_false(ok)
    assert.is_nil(e)
  end)

  it("hands over an error object with its traceback and that of the caller", function()
    local ok, e = pcall(neap.work, function()
      local function culprit() error(require("neap").error("mine", "text", { data = { print, 1 } })) end
      culprit()
    end)
    assert.is_false(ok)
    assert.are.equal("mine: text", tostring(e))
    assert.are.same({ "(a function)", 1 }, e.data)
    assert.matches("in local 'culprit'.*for neap%.work.*work_spec%.lua:%d+: in", e.traceback)
  end)

  it("hands over the text of an error that cannot be copied", function()
    local ok, e = pcall(neap.work, function()
      error(setmetatable({}, { __tostring = function() return "an object" end }))
    end)
    assert.is_false(ok)
    assert.are.equal("an object", tostring(e))
    ok, e = pcall(neap.work, function() error(print) end)
    assert.is_false(ok)
    assert.matches("^function: ", tostring(e))
  end)

  it("is spoilt by no job before it", function()
    for i = 1, 20 do
      assert.is_false((pcall(neap.work, function() error("x") end)))
      neap.timeout_or("1ms", neap.work, busy)
      assert.are.equal(i, echo(i))
    end
    until_free()
  end)
end)

describe("the threads of neap.work", function()
  it("are bounded, and stats tell what they do", function()
    local limit = pool.stats().limit
    local seen, over = 0, false
    neap.scope(function(s)
      s:spawn(function()
        while not neap.cancelled() do
          local stats = pool.stats()
          seen = math.max(seen, stats.busy)
          over = over or stats.busy > limit or stats.threads > limit
          neap.yield()
        end
      end)
      neap.scope(function(inner)
        for _ = 1, limit * 4 do
          inner:spawn(neap.work, function() local till = os.clock() + 0.005 repeat until os.clock() >= till end)
        end
      end)
      s:cancel()
    end)
    assert.is_false(over)
    assert.are.equal(limit, seen)
    local stats = pool.stats()
    assert.are.same({ 0, 0, 0 }, { stats.busy, stats.queued, stats.waiting })
  end)

  it("do ten thousand jobs of which a thousand are queued at a time, and leave nothing behind", function()
    local function round()
      local sum, waiting, queued = 0, 0, 0
      neap.scope(function(s)
        for i = 1, 10000 do
          s:spawn(function()
            local got = neap.work(function(n) return n end, i)
            sum = sum + got
          end)
          if i % 2000 == 0 then
            neap.yield()
            local stats = pool.stats()
            waiting, queued = math.max(waiting, stats.waiting), math.max(queued, stats.queued)
          end
        end
      end)
      assert.are.equal(50005000, sum)
      assert.is_true(waiting > 900 and queued <= 1024)
    end
    local function used()
      for _ = 1, 3 do collectgarbage() end
      return collectgarbage("count")
    end
    round()
    local before = used()
    round()
    assert.is_true(used() - before < 256)
  end)
end)

describe("a cancelled neap.work", function()
  -- Keep all threads busy while `fn` runs.
  local function with_full_pool(fn)
    neap.scope(function(s)
      local limit = pool.stats().limit
      for _ = 1, limit do s:spawn(neap.work, busy) end
      repeat neap.yield() until pool.stats().busy == limit
      fn(s)
      s:cancel()
    end)
    until_free()
  end

  it("raises at once before it has begun", function()
    local reached = false
    neap.scope(function(s)
      s:cancel()
      pcall(neap.work, function() end)
      reached = true
    end)
    assert.is_false(reached)
    assert.are.equal(0, pool.stats().queued)
  end)

  it("leaves the queue", function()
    with_full_pool(function()
      assert.are.equal("timeout", select(2, neap.timeout_or("1ms", neap.work, function() error("runs") end)))
      assert.are.equal(0, pool.stats().queued)
    end)
  end)

  it("gives up its turn for a place in the queue", function()
    with_full_pool(function()
      neap.scope(function(s)
        for _ = 1, 1024 + 10 do s:spawn(neap.work, function() end) end
        neap.yield()
        assert.are.equal(10 + pool.stats().limit, pool.stats().waiting)
        s:cancel()
      end)
      assert.are.equal(0, pool.stats().waiting)
      assert.are.equal(0, pool.stats().queued)
    end)
  end)

  it("raises at once while it runs, and its loop is interrupted", function()
    neap.scope(function(s)
      local task = s:spawn(neap.work, busy)
      repeat neap.yield() until pool.stats().busy == 1
      task:cancel()
      neap.yield()
      assert.are.equal("cancelled", task:status())
      assert.are.equal(1, pool.stats().kept)
    end)
    -- About 0.1 s; more on a machine that is busy otherwise.
    assert.is_true(until_free() < 2)
  end)

  it("is interrupted within protected calls, too", function()
    neap.timeout_or("20ms", neap.work, function()
      while true do pcall(function() while true do t = {} end end) end -- luacheck: ignore 111
    end)
    assert.is_true(until_free() < 2)
  end)

  it("changes nothing after the job has ended", function()
    local got
    neap.scope(function(s)
      local second
      s:spawn(function()
        neap.work(function() end)
        second:cancel()
      end)
      second = s:spawn(function()
        local value = neap.work(function() return "a result" end)
        got = value
      end)
      neap.yield()
      -- Both end while this task holds the loop, so both tasks are woken in one turn.
      repeat local stats = pool.stats() until stats.busy + stats.queued == 0
    end)
    assert.are.equal("a result", got)
  end)
end)
