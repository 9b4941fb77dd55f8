local fs = require("neap.fs")
local neap = require("neap")
local process = require("neap.process")

local NEAP = "/proc/" .. io.open("/proc/self/stat"):read("a"):match("^%d+") .. "/exe"

-- What a session prints that reads `input` from a pipe.
local function run(input)
  return process.run({ NEAP, "repl", stdin = input, stderr = "stdout", timeout = "30s" })
end

-- A session on a terminal.
local Session = {}
Session.__index = Session

-- Wait until the terminal shows `text`, and return what stood before it.
function Session:expect(text)
  return neap.timeout("20s", function()
    while true do
      local first, last = self.seen:find(text, 1, true)
      if first then
        local before = self.seen:sub(1, first - 1)
        self.seen = self.seen:sub(last + 1)
        return before
      end
      local more = self.child.stdout:read("some")
      assert(more, "the session has ended; it showed: " .. self.seen)
      self.seen = self.seen .. more
    end
  end)
end

function Session:type(keys)
  self.child.stdin:write(keys)
end

-- Ctrl-D at the prompt.
function Session:leave()
  self:type("\4")
  self:expect("ended 0")
end

-- Call fn(session) with a session in a terminal of kind `term`, whose history is in `dir`.
local function with_terminal(term, dir, fn)
  -- script itself may stay after the end of what it runs. Ctrl-C reaches the shell, too: some end by it.
  local child <close> = process.spawn({ "script", "-qec", "trap : INT; " .. NEAP .. " repl; echo ended $?",
    "/dev/null", env = { SHELL = "/bin/sh", TERM = term, XDG_STATE_HOME = dir }, stderr = "stdout", grace = "100ms" })
  local session = setmetatable({ child = child, seen = "" }, Session)
  session:expect("> ")
  fn(session)
end

describe("neap repl", function()
  it("prints the values of expressions, and runs statements", function()
    local result = run('1 + 1\nx = 5\nx\n"a", nil, 2.5\nprint("out")\nlocal y = 1\ny\n')
    assert.are.equal("2\n5\na\tnil\t2.5\nout\nnil\n", result.stdout)
    assert.are.equal(0, result.status)
  end)

  it("shows what is in tables", function()
    assert.are.equal('{ 1, { "x\\n" }, a = { 2 }, ["a b"] = true }\n{}\n{ { { {} } } }\n',
      (run('{ 1, { "x\\n" }, a = { 2 }, ["a b"] = true }\n{}\n{{{{}}}}\n').stdout:gsub("table: 0x%x+", "{}")))
    assert.is_truthy(run("local t = {} for i = 1, 100 do t[i] = i end return t\n").stdout:find("20, ... }", 1, true))
  end)

  it("goes on reading until an input is whole", function()
    assert.are.equal("1\n2\n3\n", run("for i = 1, 2 do\nprint(i)\nend\n1 +\n2\n").stdout)
  end)

  it("waits at the prompt, and lets tasks of neap.app go on", function()
    assert.are.equal("waited\nready\n2\nlate\n", run([[
neap.sleep("1ms"); print("waited")
neap.app:spawn(function() neap.sleep("50ms"); print("late") end):status()
2
]]).stdout)
  end)

  it("goes on after an error, whose status it keeps", function()
    local result = run('error("boom")\n2\n')
    assert.is_truthy(result.stdout:find("input:1: boom", 1, true))
    assert.is_truthy(result.stdout:find("\n2\n$"))
    assert.are.equal(1, result.status)
    result = run("x = * 2\n3\n")
    assert.is_truthy(result.stdout:find("input:1: unexpected symbol near '*'\n3\n", 1, true))
    assert.are.equal(1, result.status)
    result = run("1 +")
    assert.is_truthy(result.stdout:find("near <eof>", 1, true))
    assert.are.equal(1, result.status)
  end)

  it("takes what fails while a value or an error is shown as the input's error", function()
    local result = run([[
x = 2
setmetatable({}, { __tostring = function() error("no text") end })
setmetatable({}, { __tostring = function() neap.sleep(1) end })
error(setmetatable({}, { __tostring = function() error("no text either") end }))
error(setmetatable({}, { __metatable = true }))
x
]])
    assert.is_truthy(result.stdout:find("neap: input:1: no text\n.*cannot suspend inside tostring.*"
      .. "neap: a table was raised, whose __tostring fails\n.*without a __tostring\n.*\n2\n$"))
    assert.are.equal(1, result.status)
  end)

  it("orders the keys of a table without asking them for a text", function()
    local result = run([[
do
local function text() error("no text") end
local a, b = setmetatable({}, { __tostring = text }), setmetatable({}, { __tostring = text })
local t = { [a] = 1, [b] = 2, [true] = 3, [false] = 4, b = 5, a = 6 }
for i = 1, 20 do t["c" .. i] = 7 end
return t
end
1
]])
    -- Booleans come first, then strings: there is no room for the tables.
    assert.matches("^{ %[false%] = 4, %[true%] = 3, a = 6, b = 5, c1 = 7, .*, %.%.%. }\n1\n$", result.stdout)
  end)

  it("leaves an input that could wait for ever", function()
    local result = run("neap.channel():recv()\n2\n")
    assert.is_truthy(result.stdout:find("deadlock", 1, true))
    assert.is_truthy(result.stdout:find("\n2\n$"))
  end)

  it("shares standard input with what it runs", function()
    assert.are.equal("[text]\n2\n", run('"[" .. neap.stdin:read() .. "]"\ntext\n2\n').stdout)
  end)

  it("ends by neap.exit", function()
    local result = run("neap.exit(3)\n2\n")
    assert.are.equal(3, result.status)
    assert.are.equal("", result.stdout)
  end)

  it("takes no arguments", function()
    local result = process.run({ NEAP, "repl", "x.lua" })
    assert.are.equal(2, result.status)
    assert.is_truthy(result.stderr:find("neap run", 1, true))
  end)

  for _, term in ipairs({ "xterm", "dumb" }) do
    describe("on a terminal of kind " .. term, function()
      local dir
      before_each(function() dir = fs.temp_dir() end)
      after_each(function() dir:remove() end)

      it("stops an input by Ctrl-C and ends by Ctrl-D", function()
        with_terminal(term, dir.path, function(session)
          session:type("1 + 1\r")
          session:expect("2\r\n> ")
          session:type("print('g' .. 'o'); neap.sleep(1000)\r")
          session:expect("go\r\n")
          session:type("\3")
          session:expect("cancelled\r\n> ")
          session:type("print('g' .. 'o'); while true do end\r")
          session:expect("go\r\n")
          session:type("\3")
          session:expect("cancelled\r\n")
          session:type("x = setmetatable({}, { __tostring = function() print('g' .. 'o'); while true do end end })\r")
          session:expect("> ")
          session:type("x\r")
          session:expect("go\r\n")
          session:type("\3")
          session:expect("cancelled\r\n> ")
          session:type("error(x)\r")
          session:expect("go\r\n")
          session:type("\3")
          session:expect("cancelled\r\n> ")
          session:type("print('g' .. 'o'); while true do neap.raw.pcall(neap.sleep, 1) end\r")
          session:expect("go\r\n")
          session:type("\3")
          session:expect("was killed\r\n")
          session:expect("> ")
          session:type("for i = 1, 2 do\r")
          session:expect(">> ")
          session:type("\3")
          session:expect("\r\n> ")
          session:type("'still ' .. 'there'\r")
          session:expect("still there\r\n> ")
          session:leave()
        end)
      end)
    end)
  end

  describe("with an editor", function()
    local dir
    before_each(function() dir = fs.temp_dir() end)
    after_each(function() dir:remove() end)

    it("brings lines back, also those of an earlier session", function()
      with_terminal("xterm", dir.path, function(session)
        session:type("'one ' .. 1\r")
        session:expect("one 1\r\n> ")
        session:type("'two ' .. 2\r")
        session:expect("two 2\r\n> ")
        session:type("\27[A\27[A\r")
        session:expect("one 1\r\n> ")
        session:leave()
      end)
      assert.are.equal("'one ' .. 1\n'two ' .. 2\n'one ' .. 1\n", fs.read(dir.path .. "/neap/history"))
      assert.are.equal("600", fs.stat(dir.path .. "/neap/history").mode)
      with_terminal("xterm", dir.path, function(session)
        session:type("'tw\27[A\r")       -- the last that begins so
        session:expect("two 2\r\n> ")
        session:leave()
      end)
    end)

    it("completes names of neap, of Lua and of the session", function()
      with_terminal("xterm", dir.path, function(session)
        session:type("my_table = { some_name = 'found it' }\r")
        session:expect("> ")
        session:type("my_t\t.some\t\r")
        session:expect("found it\r\n> ")
        session:type("math.type(neap.monot\t())\r")
        session:expect("float\r\n> ")
        session:type("neap.s\t")
        assert.is_truthy(session:expect("supervisor"):find("semaphore", 1, true))
        session:type("\3")
        session:expect("\r\n> ")
        session:leave()
      end)
    end)

    it("lets tasks go on between two keys", function()
      with_terminal("xterm", dir.path, function(session)
        session:type("neap.app:spawn(function() neap.sleep('50ms'); print('t' .. 'ick') end) and 1\r")
        session:expect("1\r\n> ")
        session:type("'half a ")
        session:expect("tick")
        session:type("line'\r")
        session:expect("half a line\r\n> ")
        session:leave()
      end)
    end)

    it("takes keys that arrive in parts, and letters of any alphabet", function()
      with_terminal("xterm", dir.path, function(session)
        session:type("'h\195")
        neap.sleep("20ms")
        session:type("\164x'\27")
        neap.sleep("20ms")
        session:type("[D\27[D\127\195\182r\r")   -- left, left, backspace
        session:expect("h\195\182rx\r\n> ")
        session:leave()
      end)
    end)
  end)
end)
