-- A recursion without an end ends all the same: in seconds, with an error that says so, and
-- not with the memory of the machine. Scripts run as children.

local binary = require("spec.neap.binary")

before_each(binary.open_folder)
after_each(binary.remove_folder)

-- A limit of memory. The address sanitizer reserves all addresses there are, and has one of
-- its own.
local function limit(mib)
  return ([[
    if (ulimit -v %d; exec '%s' help) >/dev/null 2>&1; then ulimit -v %d
    else export ASAN_OPTIONS=soft_rss_limit_mb=%d:allocator_may_return_null=1; fi; ]]):format(
    mib * 1024, binary.NEAP, mib * 1024, mib)
end

-- Run the script, under a limit if given in MiB.
local function run(text, mib)
  binary.write("script.lua", 'local neap = require("neap")\n' .. text)
  return binary.neap("run script.lua", "ulimit -c 0; " .. (mib and limit(mib) or ""))
end

local function check(expected, text, mib)
  local result = run(text, mib)
  assert.are.equal(1, result.status, result.err)
  assert.is_truthy(result.err:find("neap: [^\n]*" .. expected), result.err)
  assert.is_true(#result.err < 200000, "a message without an end")
end

describe("a recursion without end", function()
  it("ends by the stack of Lua", function()
    check("stack overflow", "local function f() return 1 + f() end f()")
    check("stack overflow", [[
      local function f() local _ <close> = neap.defer(function() end) return 1 + f() end f()]])
  end)

  it("ends by the C stack through what calls back", function()
    for _, body in ipairs({
      "local ok, err = pcall(f) if not ok then error(err, 0) end",
      "local ok, err = neap.try(f) if not ok then error(err, 0) end",
      "local ok, err = xpcall(f, debug.traceback) if not ok then error(err, 0) end",
      "local ok, err = coroutine.resume(coroutine.create(f)) if not ok then error(err, 0) end",
      "return 1 + coroutine.wrap(f)()",
      "return neap.scope(function() return 1 + f() end)",
      "return 1 + neap.timeout('1h', f)",
      "return 1 + neap.shield('1h', f)",
      "return 1 + neap.with({ a = 1 }, f)",
      "return 1 + neap.supervisor(f)",
      "table.sort({ 1, 2, 3 }, f)",
      "return (('x'):gsub('x', f))",
      "return setmetatable({}, { __index = f }).x .. ''",
      "return tostring(setmetatable({}, { __tostring = f }))",
      "local _ <close> = setmetatable({}, { __close = f })",
    }) do
      check("C stack overflow", ("local function f() %s end f()"):format(body))
    end
  end)

  it("ends in the handler of xpcall", function()
    local result = run([[
      local function f() return 1 + f() end
      print(xpcall(f, function() return f() end))
      print(xpcall(error, function(err) error(err) end, "lost"))]])
    assert.are.equal(("false\terror in error handling\n"):rep(2), result.out, result.err)
  end)

  it("leaves a coroutine as it was for which no C stack was left", function()
    local co, refused, again
    local function f() return setmetatable({}, { __index = f }).x end
    xpcall(f, function()
      co = coroutine.create(function(...) while true do coroutine.yield(...) end end)
      refused = { coroutine.resume(co, "first") }
      again = coroutine.status(co)
    end)
    assert.are.same({ false, "C stack overflow" }, refused)
    assert.are.equal("suspended", again)
    assert.are.same({ true, "second" }, { coroutine.resume(co, "second") })
    assert.is_true(coroutine.close(co))
  end)

  it("ends through tasks by the limit of nesting", function()
    check("limit: neap%.%l+: more than 100000 scopes, timeouts and shields are open inside each other", [[
      local function f()
        return neap.scope(function(s) return 1 + s:spawn({ guard = true }, f):await() end)
      end
      f()]])
    check("limit: neap%.%l+: more than 100000 scopes", [[
      local function f()
        return neap.timeout("1h", function()
          local ok, err = pcall(neap.scope, function(s)
            local inner <close> = neap.scope()
            return inner:spawn({ guard = true }, neap.shield, "1h", f):await()
          end)
          if not ok then error(neap.error("again", "again", { cause = err }), 0) end
        end)
      end
      local ok, err = pcall(f)
      while err.cause do err = err.cause end
      error(err)]])
  end)

  it("ends by the memory when all tasks are of one scope, or more and more of them go on", function()
    check(" memory", [[
      neap.scope(function(s)
        local function f() return 1 + s:spawn({ guard = true }, f):await() end
        f()
      end)]], 300)
    check("out of memory", [[
      local function f() return neap.all({ f, f }) end
      f()]], 200)
  end)
end)

describe("tasks that are nested deep", function()
  it("are listed, cancelled, and told where they came from by the nearest", function()
    local result = run([[
      local function nest(n, last)
        return neap.scope(function(s)
          if n == 0 then return last() end
          return s:spawn({ guard = true }, nest, n - 1, last):await()
        end)
      end
      print(select(2, pcall(nest, 90000, function()
        local node, depth = neap.tasks(), 0
        while node do node, depth = node.children[1], depth + 1 end
        return depth
      end)))
      neap.scope(function(s)
        local event = neap.event()
        s:spawn(nest, 90000, function() event:wait() end)
        s:spawn(nest, 90000, function() s:cancel() end)
      end)
      local _, err = pcall(nest, 1000, function() error(neap.error("deep", "here")) end)
      local chain = err.traceback:match("\nspawned at .*")
      print(select(2, chain:gsub("\nspawned at script.lua:%d+", "")), chain:match("\nspawned at (%.%.%.)$"))
      nest(9000, function() neap.event():wait() end)]])
    assert.are.equal("90001\n11\t...\n", result.out, result.err:sub(1, 500))
    assert.is_truthy(result.err:find("neap: deadlock: every task waits", 1, true))
    assert.is_true(#result.err > 9000 * 80 and #result.err < 9000 * 300)
  end)
end)
