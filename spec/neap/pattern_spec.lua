local neap = require("neap")
local test = require("neap.test")

local lua = neap.raw.string -- Lua's own, as they were before the host's

-- What a walk gives, as one string.
local function matches(fns, s, pattern, init)
  local all = {}
  for a, b, c in fns.gmatch(s, pattern, init) do
    all[#all + 1] = ("%q %q %q"):format(a, b, c)
  end
  return table.concat(all, "; ")
end

-- Call both with the same arguments: they return or raise the same. Comparing by
-- hand first, since busted's comparison would take most of the time.
local function same(label, ours, theirs, ...)
  local a, b = table.pack(pcall(ours, ...)), table.pack(pcall(theirs, ...))
  local differs = a.n ~= b.n
  for i = 1, a.n do
    differs = differs or a[i] ~= b[i]
  end
  if differs then
    assert.are.same(b, a, label)
  end
end

-- Random numbers of a fixed seed, the same on every machine.
local function generator(seed)
  return function(n)
    seed = (seed * 6364136223846793005 + 1442695040888963407) & math.maxinteger
    return (seed >> 33) % n + 1
  end
end

local ITEMS = {
  "a", "b", "1", " ", ".", "%a", "%d", "%s", "%w", "%W", "%S", "%p", "%x", "%g", "%.", "%%", "%q",
  "[abc]", "[^abc]", "[a-c]", "[%w_]", "[^%s]", "[a-]", "[]a]", "[^]a]", "[a-%%]", "[a-%]", "[%",
  "[", "[^", "[]", "(", ")", "()", "(a)", "(.-)", "(%w+)", "(.*)", "%1", "%2", "%0", "%b()", "%baa",
  "%b", "%f[%w]", "%f[^a]", "%f", "^", "$", "%", "\0", "[\0-a]", "*", "+", "-", "?", "\255",
}
local REPEATS = { "", "", "", "*", "+", "-", "?" }
local BYTES = { "a", "b", "a", "b", "1", " ", "(", ")", "\0", "_", ".", "]", "%", "\255", "B" }
local REPLACEMENTS = {
  "", "x", "<%0>", "%1", "%2%1", "%%", "%", "%a", 12, { a = "A", b = false, ab = 1 }, { a = {} },
  function(...) return table.concat({ ... }, ",") end,
  function(a) return a ~= "a" and a end,
}

local function sample(random, from, count)
  local parts = {}
  for i = 1, count do
    parts[i] = from[random(#from)]
  end
  return parts
end

local function random_pattern(random)
  local parts = sample(random, ITEMS, random(8) - 1)
  for i, part in ipairs(parts) do
    parts[i] = part .. REPEATS[random(#REPEATS)]
  end
  local anchor = random(6) == 1 and "^" or ""
  return anchor .. table.concat(parts) .. (random(6) == 1 and "$" or "")
end

describe("the pattern functions of string", function()
  it("are the host's own, also as methods", function()
    for _, name in ipairs({ "find", "match", "gmatch", "gsub" }) do
      assert.are_not.equal(lua[name], string[name])
      assert.are.equal(string[name], ("")[name])
    end
  end)

  it("do what Lua's do with any pattern and subject", function()
    local random = generator(20240131)
    for i = 1, 20000 do
      if i % 1000 == 0 then neap.yield() end      -- a slice has its limit, on a slow machine, too
      local s = table.concat(sample(random, BYTES, random(20) - 1))
      local p = random_pattern(random)
      local init = random(3) == 1 and random(25) - 13 or nil
      local by, limit = REPLACEMENTS[random(#REPLACEMENTS)], random(4) == 1 and random(5) - 2 or nil
      local label = ("%q with %q from %s"):format(s, p, init)

      same(label, string.find, lua.find, s, p, init)
      same(label, string.find, lua.find, s, p, init, true)
      same(label, string.match, lua.match, s, p, init)
      same(label, string.gsub, lua.gsub, s, p, by, limit)
      same(label, function(...) return matches(string, ...) end,
        function(...) return matches(lua, ...) end, s, p, init)
    end
  end)

  it("find positions, captures and plain text", function()
    assert.are.same({ 3, 5, "b" }, { ("xxabc"):find("a(b)c") })
    assert.are.same({ 4, 3, 4 }, { ("abc"):find("()", 4) })
    assert.is_nil(("abc"):find("", 5))
    assert.are.same({ 2, 3 }, { ("a.b.c"):find(".b", 1, true) })
    assert.are.same({ 3, 3 }, { ("aba"):find("a", -1) })
    assert.are.same({ "2024", "01" }, { ("on 2024-01-31"):match("(%d+)-(%d+)") })
  end)

  it("walk over all matches and take ^ as a byte in gmatch", function()
    local words = {}
    for word in ("one two"):gmatch("%a+") do
      words[#words + 1] = word
    end
    assert.are.same({ "one", "two" }, words)
    assert.are.equal("^a", ("a^a"):gmatch("^a")())
    assert.is_nil(("aa"):gmatch("a", 4)())
  end)

  it("go on with a walk that another coroutine began", function()
    local next_word = ("one two"):gmatch("%a+")
    assert.are.equal("one", coroutine.wrap(next_word)())
    collectgarbage()
    assert.are.equal("two", coroutine.wrap(next_word)())
    assert.is_nil(next_word())
    assert.is_nil(next_word())
  end)

  it("replace by string, table and function, up to a limit", function()
    assert.are.same({ "-b-b", 2 }, { ("abab"):gsub("a", "-") })
    assert.are.same({ "-bab", 1 }, { ("abab"):gsub("a", "-", 1) })
    assert.are.same({ "abab", 0 }, { ("abab"):gsub("a", "-", -1) })
    assert.are.same({ "ba ba", 2 }, { ("ab ab"):gsub("(a)(b)", "%2%1") })
    assert.are.same({ "Hello Neap", 1 }, { ("Hello $name"):gsub("%$(%w+)", { name = "Neap" }) })
    assert.are.same({ "AbAb", 2 }, { ("abab"):gsub("a", string.upper) })
    assert.are.same({ "-a-b-", 3 }, { ("ab"):gsub("", "-") })
    assert.are.same({ "xab", 1 }, { ("aab"):gsub("^a", "x") })
  end)

  it("replace inside a replacement", function()
    local result = ("a(b(c))"):gsub("%b()", function(inner)
      return "[" .. inner:sub(2, -2):gsub("%b()", "<>") .. "]"
    end)
    assert.are.equal("a[b<>]", result)
  end)

  it("blame the line that called them", function()
    local ok, err = pcall(function() return ("x"):find("[a") end)
    assert.is_false(ok)
    assert.are.equal("malformed pattern (missing ']')", err:match("pattern_spec%.lua:%d+: (.*)"))
    assert.has_error(function() ("x"):gsub("x", "%") end)
    assert.has_error(function() ("x"):gsub("x", true) end)
    assert.has_error(function() ("x"):gsub("x", function() return {} end) end)
    assert.has_error(function() string.find({}, "x") end)
    assert.has_error(function() string.gsub("x", "x") end)
  end)

  it("are found by name in a traceback", function()
    local function trace()
      return debug.traceback()
    end
    local _, traced = pcall(string.gsub, "x", "x", function() error(trace(), 0) end)
    assert.is_truthy(traced:find("string.gsub", 1, true))
  end)

  it("refuse more repetitions than they can go back to", function()
    local ok, err = pcall(string.find, "a", ("a-"):rep(1000000))
    assert.is_false(ok)
    assert.are.equal("pattern too complex", err)
    -- These have taken nothing that they could give back.
    assert.are.equal(1, (("b"):find(("a?"):rep(1000) .. "b")))
  end)

  it("take a long pattern", function()
    local digits = ("0123456789"):rep(100)
    assert.are.equal(digits, digits:match(("%d"):rep(1000)))
    assert.are.equal(1, select(2, digits:gsub(("%d"):rep(1000), "")))
  end)
end)

describe("a pattern that would run for years", function()
  local subject = ("a"):rep(30)
  local pattern = ("a?"):rep(30) .. subject:rep(2)

  local function is_stopped(fn, ...)
    local args = table.pack(...)
    local err
    test.real_time(function()
      local ok
      ok, err = pcall(neap.timeout, "100ms", fn, table.unpack(args, 1, args.n))
      assert.is_false(ok)
    end)
    assert.are.equal("timeout", err.kind)
  end

  it("is stopped in find and match by the deadline of its scope", function()
    is_stopped(string.find, subject, pattern)
    is_stopped(string.match, subject, pattern)
    is_stopped(string.find, ("x"):rep(50000), ".-.-.-.-b")
  end)

  it("is stopped in gmatch and gsub, too", function()
    is_stopped(("b" .. subject):gmatch(pattern))
    -- It is the caller that is stopped, not the coroutine in which the walk began.
    local began = coroutine.wrap(function()
      coroutine.yield(subject:gmatch(pattern))
      return "goes on"
    end)
    is_stopped(began())
    assert.are.equal("goes on", began())
    is_stopped(string.gsub, ("x"):rep(50000), ".-.-.-.-b", "")
  end)

  it("leaves the functions in order", function()
    is_stopped(string.gsub, subject, pattern, "")
    assert.are.equal("x", (subject:gsub("a+", "x")))
  end)
end)
