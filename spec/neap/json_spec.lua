local neap = require("neap")
local json = require("neap.json")

-- The error that `fn(...)` raises, which must be of `kind`.
local function raised(kind, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.are.equal(kind, err.kind)
  return err.message
end

-- That encoding `value` is refused, naming the place and saying `what`.
local function refuses(place, what, value, opts)
  local message = raised("json", json.encode, value, opts)
  assert.are.equal("neap.json.encode: " .. place .. ": ", message:sub(1, #place + 20))
  assert.is_truthy(message:find(what, 1, true), message)
end

-- That decoding `text` is refused, naming the position and saying `what`.
local function rejects(position, what, text, opts)
  local message = raised("json", json.decode, text, opts)
  assert.is_truthy(message:find("neap.json.decode: " .. position, 1, true), message)
  assert.is_truthy(message:find(what, 1, true), message)
end

-- A number's type and bits, so that 1, 1.0, 0.0 and -0.0 all differ.
local function exact(n)
  return math.type(n) .. string.pack(math.type(n) == "integer" and "j" or "n", n)
end

local function nested(depth)
  local value = 1
  for _ = 1, depth do value = { value } end
  return value
end

describe("neap.json numbers", function()
  it("keep all 64 bits of an integer", function()
    for _, n in ipairs { 0, -1, 123456789012345678, math.maxinteger, math.mininteger } do
      assert.are.equal(("%d"):format(n), json.encode(n))
      assert.are.equal(exact(n), exact(json.decode(json.encode(n))))
    end
  end)

  it("never turn a float into an integer or back", function()
    assert.are.equal("[1,1.0,-1.0,100.0,9007199254740992.0]",
      json.encode { 1, 1.0, -1.0, 100.0, 2.0 ^ 53 })
    assert.are.equal("float", math.type(json.decode("1.0")))
    assert.are.equal("float", math.type(json.decode("1e2")))
    assert.are.equal("integer", math.type(json.decode("1")))
  end)

  it("keep the sign of a zero", function()
    assert.are.equal("[-0.0,0.0]", json.encode { -0.0, 0.0 })
    assert.are.equal(exact(-0.0), exact(json.decode("-0.0")))
  end)

  it("are the shortest text that reads back equal", function()
    for text, n in pairs {
      ["0.1"] = 0.1,
      ["1.25"] = 1.25,
      ["0.30000000000000004"] = 0.1 + 0.2,
      ["1e+15"] = 1e15,
      ["999999999999999.0"] = 999999999999999.0,
      ["-123456789012345.6"] = -123456789012345.6,
      ["1.7976931348623157e+308"] = 1.7976931348623157e308,
      ["4.94065645841247e-324"] = 5e-324,
    } do
      assert.are.equal(text, json.encode(n))
      assert.are.equal(exact(n), exact(json.decode(text)))
    end
  end)

  it("raise when they do not fit, by name", function()
    rejects("line 1, column", "number 9223372036854775808 does not fit", "[9223372036854775808]")
    rejects("line 1, column", "number -9223372036854775809 does not fit", "-9223372036854775809")
    rejects("line 2, column", "number 1e999 does not fit", "[1,\n1e999]")
    rejects("line 1, column", ("9"):rep(40) .. "... does not fit", ("9"):rep(1000))
  end)

  it("raise when they are NaN or infinite", function()
    refuses("$.rate", "NaN", { rate = 0 / 0 })
    refuses("$[2]", "infinity", { 1, math.huge })
    refuses("$[2]", "-infinity", { 1, -math.huge })
  end)
end)

describe("neap.json strings", function()
  it("escape what must be escaped and nothing else", function()
    assert.are.equal([["a\"\\/\b\f\n\r\t\u0000\u001f]] .. "\127é€😀\"",
      json.encode("a\"\\/\b\f\n\r\t\0\31\127é€😀"))
  end)

  it("read escapes of all kinds", function()
    assert.are.equal("\"\\/\b\f\n\r\t\0A€😀", json.decode([["\"\\\/\b\f\n\r\t\u0000\u0041\u20ac\ud83d\ude00"]]))
  end)

  it("raise at the first byte that is not UTF-8", function()
    refuses("$.name", "not UTF-8 at byte 4", { name = "abc\xff" })
    refuses("$", "not UTF-8 at byte 1", "\xed\xa0\x80")
    refuses([=[$["k\xff"]]=], "key is not UTF-8 at byte 2", { ["k\xff"] = 1 })
    rejects("line 1: ", "not UTF-8 at byte 2", "\"\xff\"")
    rejects("line 2: ", "not UTF-8 at byte 3", "[1,\n \"\xc0\x80\"]")
    rejects("line 1, column", "\\uD800", [["\ud800"]])
  end)

  it("may be keys unless they contain a zero byte", function()
    refuses([=[$["a\x00b"]]=], "a key with a zero byte is not supported", { ["a\0b"] = 1 })
    rejects("line 1, column", "a key with a zero byte is not supported", [[{"a\u0000b":1}]])
    assert.are.equal('{"a":"\\u0000"}', json.encode(json.decode([[{"a":"\u0000"}]])))
  end)
end)

describe("neap.json tables", function()
  it("are arrays with the keys 1..n and objects with string keys", function()
    assert.are.equal('{"items":[1,[2]],"name":"x"}', json.encode { name = "x", items = { 1, { 2 } } })
  end)

  it("are objects when empty, unless marked", function()
    assert.are.equal("{}", json.encode {})
    assert.are.equal("[]", json.encode(json.array {}))
    assert.are.equal("[]", json.encode(json.array()))
    assert.are.equal('{"a":[],"b":{},"c":[[]]}', json.encode(json.decode('{"c":[[]],"b":{},"a":[]}')))
  end)

  it("stay arrays while a marked one is filled", function()
    local list = json.decode("[]")
    list[1] = "first"
    assert.are.equal('["first"]', json.encode(list))
    assert.are.equal("[1,2]", json.encode(json.array { 1, 2 }))
  end)

  it("get the mark by decoding only when empty", function()
    assert.is_not_nil(getmetatable(json.decode("[]")))
    assert.is_nil(getmetatable(json.decode("[1]")))
    assert.is_nil(getmetatable(json.decode("{}")))
  end)

  it("have their keys in bytewise order", function()
    assert.are.equal('{"":0,"A":1,"a":2,"a!":3,"aa":4,"é":5}',
      json.encode { ["é"] = 5, aa = 4, ["a!"] = 3, a = 2, A = 1, [""] = 0 })
  end)

  it("give equal bytes when they are equal, however they were filled", function()
    local up, down, expected = {}, {}, {}
    for i = 1, 500 do up[("k%03d"):format(i)] = i end
    for i = 500, 1, -1 do down[("k%03d"):format(i)] = i end
    for i = 1, 500 do expected[i] = ('"k%03d":%d'):format(i, i) end
    assert.are.equal("{" .. table.concat(expected, ",") .. "}", json.encode(up))
    assert.are.equal(json.encode(up), json.encode(down))
  end)

  it("raise at a hole, naming both sides of it", function()
    refuses("$.a", "[3] is set, [2] is nil", { a = { 1, nil, 3 } })
    refuses("$", "[7] is set, [1] is nil", { [7] = true })
    refuses("$", "[3] is set, [2] is nil", json.array { 1, nil, 3 })
  end)

  it("raise at a named field of an array", function()
    refuses("$.items.count", "named field of an array", { items = { 1, 2, count = 2 } })
    refuses("$.count", "named field of an array", json.array { count = 0 })
  end)

  it("raise at keys that JSON does not have", function()
    refuses("$", "key 0 ", { [0] = 1 })
    refuses("$", "key -1 ", { [-1] = 1 })
    refuses("$", "key 1.5 ", { [1.5] = 1 })
    refuses("$", "key that is a boolean", { [true] = 1 })
    refuses("$", "key that is a table", { [{}] = 1 })
  end)

  it("raise at a cycle, naming both ends, but may share", function()
    local order = { items = { {} } }
    order.items[1].order = order
    refuses("$.items[1].order", "this is $ again", order)
    local shared = { 1 }
    assert.are.equal('{"a":[1],"b":[1]}', json.encode { a = shared, b = shared })
  end)

  it("raise at any metatable but that of json.array", function()
    refuses("$[1]", "metatable", { setmetatable({}, {}) })
  end)

  it("are read without metamethods", function()
    local calls = 0
    local spy = setmetatable({}, { __index = function() calls = calls + 1 end,
      __len = function() calls = calls + 1 return 3 end, __pairs = function() calls = calls + 1 end })
    raised("json", json.encode, spy)
    assert.are.equal(0, calls)
  end)
end)

describe("neap.json other values", function()
  it("write and read true, false and null", function()
    assert.are.equal("[true,false,null]", json.encode { true, false, json.null })
    assert.are.same({ true, false, json.null }, json.decode("[true,false,null]"))
    assert.are.equal(json.null, json.decode("null"))
  end)

  it("raise at the place of what has no JSON form", function()
    refuses("$", "nil", nil)
    refuses("$.items[2].price", "function", { items = { { price = 1 }, { price = print } } })
    refuses("$[1]", "thread", { coroutine.create(print) })
    refuses('$["two words"]', "userdata", { ["two words"] = io.stdout })
    refuses('$["1st"]', "userdata", { ["1st"] = debug.upvalueid(refuses, 1) }) -- a light one
  end)

  it("shorten a place that would fill the screen", function()
    local deep = print
    for _ = 1, 60 do deep = { deep } end
    refuses("$" .. ("[1]"):rep(8) .. "..." .. ("[1]"):rep(8), "function", deep)
    refuses('$["' .. ("k"):rep(40) .. '..."]', "function", { [("k"):rep(100)] = print })
    refuses('$["' .. ("é"):rep(20) .. '..."]', "function", { [("é"):rep(100)] = print })
    refuses('$["a' .. ("é"):rep(19) .. '..."]', "function", { ["a" .. ("é"):rep(100)] = print })
  end)
end)

describe("neap.json texts", function()
  it("may be any one value with space around it", function()
    assert.are.equal(1, json.decode(" \t\r\n1 \n"))
    assert.are.equal("a", json.decode('"a"'))
  end)

  it("are refused with line and column when they are not JSON", function()
    rejects("line 1, column 0", "end of file", "")
    rejects("line 1, column 4", "unexpected token near ']'", "[1,]")
    rejects("line 3, column 10", "invalid token near 'tru'", '{\n  "a": 1,\n  "b": tru\n}')
    rejects("line 1, column 4", "end of file expected near 'x'", "[1]x")
    rejects("line 1, column", "unexpected newline", '"a\nb"')
    for _, text in ipairs { "01", "1.", ".5", "+1", "-", "NaN", "Infinity", "'a'", "{a:1}", "[1 2]",
      "{1:2}", "nul", "TRUE", '"\\x"', '"\\u12"', "[1", '{"a"', '"abc', "// 1", "\u{feff}1" } do
      rejects("line 1, column", "", text)
    end
  end)

  it("are refused when a key stands twice", function()
    rejects("line 1, column 10", "duplicate object key", '{"a":1,"a":1}')
    rejects("line 1, column", "duplicate object key", [=[[{"a":1,"\u0061":2}]]=])
  end)

  it("are refused when they contain a zero byte, wherever", function()
    rejects("line 1: ", "zero byte at byte 1", "\0")
    rejects("line 1: ", "zero byte at byte 3", "[1\0]")
    rejects("line 2: ", "zero byte at byte 2", "[1]\n \0")
    rejects("line 1: ", "zero byte at byte 3", '"a\0"')
  end)

  it("have one line, or many with the keys indented", function()
    local value = { a = { 1, { b = 2 } }, c = {}, d = json.array {} }
    assert.are.equal('{"a":[1,{"b":2}],"c":{},"d":[]}', json.encode(value))
    local pretty = '{\n  "a": [\n    1,\n    {\n      "b": 2\n    }\n  ],\n  "c": {},\n  "d": []\n}'
    assert.are.equal(pretty, json.encode(value, { pretty = true }))
    assert.are.equal(pretty, json.encode(value, { indent = 2 }))
    assert.are.equal((pretty:gsub("  ", "\t"):gsub("\t", " ")), json.encode(value, { indent = 1 }))
    assert.are.same(value, json.decode(pretty))
  end)
end)

describe("neap.json limits", function()
  it("allow 64 tables inside one another and no more", function()
    assert.are.equal(("["):rep(64) .. "1" .. ("]"):rep(64), json.encode(nested(64)))
    assert.are.same(nested(64), json.decode(json.encode(nested(64))))
    local place = "$" .. ("[1]"):rep(8) .. "..." .. ("[1]"):rep(8)
    refuses(place, "deeper than 64 (raise max_depth", nested(65))
    rejects("line 1: " .. place, "deeper than 64 (raise max_depth", ("["):rep(65) .. ("]"):rep(65))
    rejects("line 1, column", "deeper than 64", ("["):rep(100000))
    raised("json", json.decode, ('{"a":'):rep(100000))
  end)

  it("can be set lower and higher", function()
    assert.are.equal("[[1]]", json.encode(nested(2), { max_depth = 2 }))
    refuses("$[1][1]", "deeper than 2", nested(3), { max_depth = 2 })
    rejects("line 1: $[1][1]", "deeper than 2", "[[[]]]", { max_depth = 2 })
    local text = json.encode(nested(1000), { max_depth = 1000 })
    assert.are.equal(text, json.encode(json.decode(text, { max_depth = 1000 }), { max_depth = 1000 }))
  end)

  it("allow a text of 8 MiB and no more", function()
    local bytes = 8 * 1024 * 1024
    local longest = ("x"):rep(bytes - 2)
    assert.are.equal(longest, json.decode(json.encode(longest)))
    local message = raised("json", json.encode, longest .. "x")
    assert.is_truthy(message:find("longer than 8388608 bytes (raise max_bytes", 1, true))
    rejects("line 1: ", "has 8388609 bytes, more than 8388608", '"' .. longest .. 'x"')
  end)

  it("count bytes of the text, with escapes and indents", function()
    assert.are.equal([["\n"]], json.encode("\n", { max_bytes = 4 }))
    raised("json", json.encode, "\n", { max_bytes = 3 })
    raised("json", json.encode, { 1 }, { max_bytes = 7, indent = 4 })
    assert.are.equal("[1]", json.encode({ 1 }, { max_bytes = 3 }))
    assert.are.same({ 1 }, json.decode("[1]", { max_bytes = 3 }))
    raised("json", json.decode, "[1] ", { max_bytes = 3 })
  end)
end)

describe("neap.json calls", function()
  it("refuse an unknown option and name the one that was meant", function()
    local message = raised("usage", json.encode, {}, { max_dept = 3 })
    assert.is_truthy(message:find("max_dept%f[%W].*max_depth%f[%W]"), message)
    raised("usage", json.decode, "1", { indent = 2 })
    raised("usage", json.lines, "1", { pretty = true })
  end)

  it("refuse limits that are none", function()
    for _, opts in ipairs { { max_depth = 0 }, { max_depth = 1001 }, { max_bytes = 0 },
      { max_bytes = "many" }, { max_depth = 1.5 } } do
      raised("usage", json.encode, {}, opts)
      raised("usage", json.decode, "1", opts)
    end
    raised("usage", json.encode, {}, { indent = 17 })
  end)

  it("refuse to read what is no string", function()
    raised("usage", json.decode, nil)
    raised("usage", json.decode, 5)
  end)

  it("mark tables only, and none with another metatable", function()
    local list = { 1 }
    assert.are.equal(list, json.array(list))
    assert.are.equal(list, json.array(list))
    raised("usage", json.array, 5)
    raised("usage", json.array, nil)
    raised("usage", json.array, setmetatable({}, {}))
  end)

  it("know an array", function()
    assert.is_true(json.is_array(json.array {}))
    assert.is_true(json.is_array { 1 })
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array { a = 1 })
    assert.is_false(json.is_array(setmetatable({ 1 }, {})))
    assert.is_false(json.is_array("[]"))
    assert.is_false(json.is_array(nil))
  end)
end)

describe("the module cjson", function()
  it("is there for scripts that know it", function()
    assert.are.same({ a = { 1 } }, require("cjson").decode('{"a":[1]}'))
  end)
end)

describe("neap.json.lines", function()
  -- "number:text" of each value.
  local function walk(source, opts)
    local seen = {}
    for value, number in json.lines(source, opts) do
      seen[#seen + 1] = number .. ":" .. json.encode(value)
    end
    return table.concat(seen, " ")
  end

  it("gives each value of a text with the number of its line", function()
    assert.are.equal('1:{"a":1} 2:false 3:null 4:[]', walk('{"a":1}\nfalse\nnull\n[]\n'))
    assert.are.equal("1:1 2:2", walk("1\n2"))
    assert.are.equal("", walk(""))
  end)

  it("skips blank lines and counts them", function()
    assert.are.equal("2:1 5:2", walk("\n1\r\n \t\r\n\n2\n\n"))
  end)

  it("takes lines from an iterator", function()
    local left = { "1", "", "[2]" }
    local function take() return table.remove(left, 1) end
    assert.are.equal("1:1 3:[2]", walk(take))
    left = { "3" }
    assert.are.equal("1:3", walk(setmetatable({}, { __call = take })))
    local channel = require("neap").channel(2)
    channel:send("4")
    channel:send("5")
    channel:close()
    assert.are.equal("1:4 2:5", walk(channel))
  end)

  it("names the line of an error", function()
    local message = raised("json", walk, "1\n\n[2,\n")
    assert.is_truthy(message:find("neap.json.lines: line 3, column", 1, true), message)
    message = raised("json", walk, "1\n[[[1]]]", { max_depth = 2 })
    assert.is_truthy(message:find("neap.json.lines: line 2: $[1][1]: nested deeper than 2", 1, true), message)
    message = raised("json", walk, "1\n[2,3]", { max_bytes = 4 })
    assert.is_truthy(message:find("neap.json.lines: line 2: the text has 5 bytes", 1, true), message)
  end)

  it("begins an error with the name of the file and the line", function()
    local function message(text, opts)
      opts.name = "orders.jsonl"
      return raised("json", walk, text, opts)
    end
    assert.is_truthy(message("1\n\n[2,\n", {}):find("^orders.jsonl:3: column %d"))
    assert.are.equal("orders.jsonl:2: $[1][1]: nested deeper than 2 (raise max_depth for more)",
      message("1\n[[[1]]]", { max_depth = 2 }))
    assert.is_truthy(message("1\n[2,3]", { max_bytes = 4 }):find("^orders.jsonl:2: the text has 5 bytes"))
    assert.is_truthy(message('1\n"\xFF"', {}):find("^orders.jsonl:2: .* at byte 2$"))
    raised("usage", json.lines, "1", { name = {} })
  end)

  it("closes what its source says, however the loop is left", function()
    local closed = 0
    local function source()
      local left = { "1", "2", "[" }
      return function() return table.remove(left, 1) end, nil, nil,
        neap.defer(function() closed = closed + 1 end)
    end
    for value in json.lines(source()) do
      if value == 2 then break end
      assert.are.equal(0, closed)
    end
    assert.are.equal(1, closed)
    raised("json", function() for _ in json.lines(source()) do end end)
    assert.are.equal(2, closed)
  end)

  it("reads only as far as the loop goes", function()
    local taken = 0
    for _ in json.lines(function() taken = taken + 1 return "1" end) do
      if taken == 3 then break end
    end
    assert.are.equal(3, taken)
  end)

  it("passes on what its source raises", function()
    local source = function() error("broken", 0) end
    assert.has_error(function() walk(source) end, "broken")
  end)

  it("refuses a source that gives no lines", function()
    raised("usage", json.lines, nil)
    raised("usage", json.lines, 5)
    raised("usage", json.lines, {})
    local message = raised("usage", walk, function() return {} end)
    assert.is_truthy(message:find("line 1: the source gave a table", 1, true), message)
  end)
end)

describe("neap.json and the collector", function()
  it("survives finalisers that encode and change what is being written", function()
    local target, running = {}, true
    local function disturb()
      setmetatable({}, { __gc = function()
        if not running then return end
        for i = 1, 20 do target["k" .. i] = i % 2 == 0 and { i } or nil end
        for i = 1, 20 do target["new" .. i] = i end
        assert(json.decode(json.encode { 1, { 2 } })[2][1] == 2)
        disturb()
      end })
    end
    disturb()
    for round = 1, 300 do
      for i = 1, 20 do target["new" .. i] = nil end
      for i = 1, 60 do target["k" .. i] = { round, i, ("x"):rep(i) } end
      local ok, text = pcall(json.encode, target)
      if ok then json.decode(text) else assert.are.equal("json", text.kind) end
    end
    running = false
  end)
end)

-- Random values with every edge that a value can have.
local function generator(seed)
  local state = seed
  local function random(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % n
  end

  local function text()
    local parts = {}
    for i = 1, random(12) do
      local code = random(4) == 0 and random(0x10ffff) or random(0x180)
      parts[i] = utf8.char((code >= 0xd800 and code <= 0xdfff) and 0x20 or code)
    end
    return table.concat(parts)
  end

  local function float()
    local bits = (random(1 << 31) << 40) ~ (random(1 << 31) << 20) ~ random(1 << 31)
    local n = string.unpack("n", string.pack("j", bits))
    if n ~= n or n == math.huge or n == -math.huge then return -0.0 end
    return random(2) == 0 and n or (bits >> 44) / (10 ^ random(6))
  end

  local value
  local function table_of(depth)
    local kind, t = random(3), {}
    if kind == 0 then
      for _ = 1, random(6) do t[text():gsub("\0", "0")] = value(depth - 1) end
    elseif kind == 1 then
      for i = 1, random(6) do t[i] = value(depth - 1) end
    else
      t = json.array()
    end
    return t
  end

  function value(depth)
    local kind = random(depth > 0 and 9 or 6)
    if kind == 0 then return json.null end
    if kind == 1 then return random(2) == 0 end
    if kind == 2 then return (random(1 << 31) << 33 ~ random(1 << 31)) >> random(64) end
    if kind == 3 then return -(random(1 << 31) << random(33)) end
    if kind == 4 then return float() end
    if kind == 5 then return text() end
    return table_of(depth)
  end

  return value
end

-- A description of a value that differs whenever two values do.
local function describe_value(value)
  if type(value) == "number" then return exact(value) end
  if type(value) ~= "table" then return type(value) .. tostring(value) end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = ("%s=%s"):format(describe_value(key), describe_value(value[key]))
  end
  local mark = #keys == 0 and getmetatable(value) and "[" or "{"
  return mark .. table.concat(parts, ",")
end

describe("neap.json round trips", function()
  it("give back every random value, type by type and bit by bit", function()
    local value = generator(1)
    for _ = 1, 3000 do
      local before = value(5)
      local text = json.encode(before)
      local after = json.decode(text)
      assert.are.equal(describe_value(before), describe_value(after))
      assert.are.equal(text, json.encode(after))
      assert.are.equal(text, json.encode(json.decode(json.encode(before, { indent = 3 }))))
    end
  end)
end)
