local check = require("cli.check")

-- What check writes goes into a table of pieces.
local function sink()
  local pieces = {}
  return { write = function(_, ...)
    for _, piece in ipairs({ ... }) do pieces[#pieces + 1] = piece end
  end, text = function() return table.concat(pieces) end }
end

local function run(...)
  local out = sink()
  local status = check.run({ ... }, out)
  return status, out.text()
end

local files = {}

local function file(text, suffix)
  local path = os.tmpname()
  os.remove(path)
  path = path .. (suffix or ".lua")
  local handle <close> = assert(io.open(path, "wb"))
  handle:write(text)
  files[#files + 1] = path
  return path
end

-- The messages about a script, each as "line:column: message".
local function messages(text, suffix)
  local path = file(text, suffix)
  local status, output = run(path)
  local list = {}
  for line in output:gmatch("[^\n]+") do
    if line:sub(1, #path + 1) == path .. ":" then list[#list + 1] = line:sub(#path + 2) end
  end
  return list, status
end

local function finds(expected, text, suffix)
  local list, status = messages(text, suffix)
  assert.are.same(expected, list)
  assert.are.equal(#expected == 0 and 0 or 3, status)
end

local NEAP = 'local neap = require("neap")\n'

after_each(function()
  for i, path in ipairs(files) do
    os.remove(path)
    files[i] = nil
  end
end)

describe("neap check", function()
  describe("on files that are no scripts", function()
    it("asks for a file when none is named", function()
      local status, output = run()
      assert.are.equal(2, status)
      assert.matches("usage: neap check FILE...", output, 1, true)
    end)

    it("refuses a missing file and a folder, and says which", function()
      local path = file("x = 1")
      assert.are.same({ 2, path .. "x: No such file or directory\n" }, { run(path .. "x") })
      assert.are.same({ 2, "/: Is a directory\n" }, { run("/") })
    end)

    it("refuses bytecode, even behind a script's name", function()
      local status, output = run(file(string.dump(function() end)))
      assert.are.equal(1, status)
      assert.matches("compiled Lua %(bytecode%)", output)
    end)

    it("goes on with the other files and answers with the worst status", function()
      local clean, bad, broken = file("x = 1"), file("print(undefind)"), file("x = = 1")
      assert.are.equal(3, (run(bad, clean)))
      assert.are.equal(1, (run(bad, broken, clean)))
      local status, output = run("/", bad, broken)
      assert.are.equal(2, status)
      assert.matches('undefined global "undefind"', output, 1, true)
    end)

    it("takes an empty file, a first line with #! and a byte order mark", function()
      finds({}, "")
      finds({}, "#!/usr/bin/env neap\nprint(1)")
      finds({}, "#!")
      finds({}, "\xEF\xBB\xBFprint(1)")
      finds({ '2:1: undefined global "nope"' }, "#!/usr/bin/env [[ neap\nnope()")
    end)
  end)

  describe("on scripts that do not compile", function()
    local function complains(expected, text)
      local list, status = messages(text)
      assert.are.same({ expected }, list)
      assert.are.equal(1, status)
    end

    it("shows the line with a caret under the token", function()
      local path = file("local x = 1\n\tif x thn y() end\n")
      local _, output = run(path)
      assert.are.equal(path .. [[
:2:7: 'then' expected near 'thn'
   if x thn y() end
        ^~~
]], output)
    end)

    it("finds the column of what Lua notices late", function()
      complains("3:6: attempt to assign to const variable 'x'",
        "local x <const> = 1\nlocal nx\n nx, x = 2, 3\n")
      complains("2:7: no visible label 'away' for <goto> at line 2", "local x\n goto away\n")
      complains("1:5: break outside loop at line 1", "do  break end")
      complains("1:10: unknown attribute 'foo'", "local a <foo> = 1")
      complains([[1:5: invalid escape sequence near '"a\q']], [[x = "a\qb"]])
    end)

    it("names the end of the file as a place", function()
      complains("3:1: 'end' expected (to close 'if' at line 1) near <eof>", "if x then\ny()\n")
      complains("1:5: unfinished string near '\"abc'", 'x = "abc\ny = 1')
    end)

    it("counts lines that end in any way Lua knows, and columns in characters", function()
      complains("4:5: unexpected symbol near '='", "x = 1\r\ny = 2\rz = 3\n\rw = = 2")
      complains("1:11: ')' expected near '\"b\"'", 'print("ä" "b")')
    end)

    it("finds a byte that is no Lua, and writes no control character", function()
      local path = file("x = 1 \0\27[31m y")
      local status, output = run(path)
      assert.are.equal(1, status)
      assert.matches(":1:7: unexpected symbol\n", output, 1, true)
      assert.is_nil(output:find("[%z\27]"))
    end)

    it("reports nesting that is too deep for Lua", function()
      local list, status = messages("x = " .. ("("):rep(300) .. "1" .. (")"):rep(300))
      assert.are.equal(1, status)
      assert.matches("overflow", list[1])
    end)
  end)

  describe("on names", function()
    it("finds undefined globals and suggests the nearest name in reach", function()
      finds({ '1:1: undefined global "prnit"; did you mean "print"?' }, "prnit(1)")
      finds({ '2:7: undefined global "odrer"; did you mean "order"?' },
        "local order = 1\nprint(odrer)")
      finds({ '2:19: undefined global "hepler"; did you mean "helper"?' },
        "function helper() end\nlocal x <const> = hepler\n")
    end)

    it("takes what the file defines at its top level, also further down", function()
      finds({}, "local function f() return later() end\nfunction later() end\nf()")
      finds({}, "if os.getenv('X') then flag = true end\nprint(flag)")
      finds({}, "_G.flag = true\nprint(flag)")
    end)

    it("finds a global that only a function assigns", function()
      finds({ '1:20: assigns the undefined global "n": make it a local',
        '1:34: undefined global "n"' }, "local function f() n = 1; return n end f()")
      finds({}, "n = 0\nlocal function f() n = 1 end f()")
    end)

    it("knows every way of making a local", function()
      finds({}, [[
        local a <const>, b = 1, 2
        local function f(c, ...) return c, f, ... end
        for i = 1, 2 do f(i) end
        for k, v in pairs({}) do f(k, v) end
        repeat local done = true until done
        local t = {}
        function t:m() return self, a, b end
        do local inner = 1; f(inner) end
        goto over
        ::over::
      ]])
    end)

    it("ends a local where its block ends, and begins it after its statement", function()
      finds({ '1:22: undefined global "x"' }, "do local x = 1 end f(x) f = 1")
      finds({ '1:11: undefined global "x"' }, "local x = x")
      finds({}, "local x = 1 do local x = 2 print(x) end print(x)")
      finds({ '1:38: undefined global "k"' }, "for k in pairs({}) do print(k) end g(k) g = 1")
    end)

    it("says where Lua 5.4 has what was a global before", function()
      finds({ '1:7: undefined global "unpack"; in Lua 5.4 it is table.unpack' },
        "print(unpack({}))")
    end)

    it("knows nothing about globals under a local _ENV", function()
      finds({}, "local function f(_ENV) x = 1; return y end f({})")
    end)

    it("finds unknown names of the standard library that the file does not add", function()
      finds({ '1:14: unknown name "string.fromat"; did you mean "format"?' },
        "print(string.fromat('x'))")
      finds({}, "function string.trim(s) return s end print(string.trim('x'))")
      finds({}, "local string = { trim = 1 } print(string.trim)")
      finds({}, "table = { trim = 1 } print(table.trim)")
    end)

    it("knows the globals of busted in spec files only", function()
      finds({}, "describe('x', function() it('y', function() end) end)", "_spec.lua")
      local _, status = messages("describe('x')")
      assert.are.equal(3, status)
    end)
  end)

  describe("on Neap's own names", function()
    it("finds unknown names and suggests the nearest", function()
      finds({ '2:6: unknown name "neap.slep"; did you mean "sleep"?' }, NEAP .. "neap.slep(1)")
      finds({ '2:16: unknown name "neap.channle"; did you mean "channel"?' },
        NEAP .. "local f = neap.channle f()")
      finds({ '2:16: unknown name "channel:snd"; did you mean "send"?' },
        NEAP .. "neap.channel():snd(1)")
      finds({ '2:11: unknown name "neap.json.decod"; did you mean "decode"?' },
        NEAP .. "neap.json.decod('1')")
      finds({}, NEAP .. "neap.context.request_id()")
    end)

    it("finds unknown options wherever a literal table holds them", function()
      local options = {
        ["neap.scope({ dedline = 1 }, f)"] = '2:14: neap.scope: unknown option "dedline"; did you mean "deadline"?',
        ["neap.supervisor({ restart = { period = 1, shutdwn = 1 } }, f)"] =
          '2:43: neap.supervisor restart: unknown option "shutdwn"; did you mean "shutdown"?',
        ["neap.map({}, f, { limt = 8 })"] = '2:19: neap.map: unknown option "limt"; did you mean "limit"?',
        ["neap.channel { ['capacty'] = 1 }"] =
          '2:17: neap.channel: unknown option "capacty"; did you mean "capacity"?',
        ["neap.broadcast { relay = 1 }"] = '2:18: neap.broadcast: unknown option "relay"; did you mean "replay"?',
        ["neap.step('pay', { run = f, undoo = f })"] =
          '2:29: neap.step: unknown option "undoo"; did you mean "undo"?',
        ["neap.step('pay', { retry = { atempts = 3 } }, f)"] =
          '2:30: neap.step retry: unknown option "atempts"; did you mean "attempts"?',
        ["neap.error('k', 'm', { caus = 1 })"] =
          '2:24: neap.error: unknown option "caus"; did you mean "cause"?',
        ["neap.broadcast { colour = 3 }"] = '2:18: neap.broadcast: unknown option "colour"',
        ["neap.process.run { 'ls', timout = 1 }"] =
          '2:26: neap.process.run: unknown option "timout"; did you mean "timeout"?',
        ["f(neap.process.spawn { 'ls', cwdd = '/' })"] =
          '2:30: neap.process.spawn: unknown option "cwdd"; did you mean "cwd"?',
        ["neap.json.encode({}, { indnt = 2 })"] =
          '2:24: neap.json.encode: unknown option "indnt"; did you mean "indent"?',
        ["neap.json.decode('1', { max_dept = 2 })"] =
          '2:25: neap.json.decode: unknown option "max_dept"; did you mean "max_depth"?',
        ["for _ in neap.json.lines('', { nmae = 'x' }) do f() end"] =
          '2:32: neap.json.lines: unknown option "nmae"; did you mean "name"?',
        ["f(neap.isolates(2, 'm', { capacit = 1 }))"] =
          '2:27: neap.isolates: unknown option "capacit"; did you mean "capacity"?',
        ["neap.stdin:read('all', { max_byte = 1 })"] =
          '2:26: stream:read: unknown option "max_byte"; did you mean "max_bytes"?',
        ["neap.scope(function(s) s:actor({ gaurd = true }, {}) end)"] =
          '2:34: scope:actor: unknown option "gaurd"; did you mean "guard"?',
        ["neap.select { default = f, fiar = true }"] =
          '2:28: neap.select: unknown option "fiar"; did you mean "fair"?',
      }
      for call, expected in pairs(options) do
        finds({ expected }, "local neap = require 'neap' local f = print\n" .. call)
      end
    end)

    it("takes every option that is known, and tables it cannot see", function()
      finds({}, NEAP .. [[
        local f, opts, key = print, { limt = 1 }, "limt"
        neap.scope({ name = "a", deadline = 1, deadline_at = 2, policy = f }, f)
        neap.map({ limt = 1 }, f, opts)
        neap.map({}, f, { [key] = 1, limit = 2 })
        neap.map({}, f, { ["\\108imit"] = 2 })
        neap.select { f, default = f, fair = true }
        neap.process.run { "ls", "-l", timeout = 1, max_output = 1, check = true, cwd = "/", env = { A = 1 } }
        neap.json.encode({}, { max_depth = 1, max_bytes = 1, pretty = true, indent = 2 })
        neap.stdin:read("line", { max_line = 1, max_bytes = 1 })
        neap.scope(function(s)
          s:actor({ name = "a", guard = true, capacity = 1 }, { total = 0 })
          s:actor { total = 0 }
        end)
      ]])
    end)

    it("follows a function through a local and an object through its calls", function()
      finds({ '3:13: neap.step: unknown option "udno"; did you mean "undo"?' },
        NEAP .. "local step = neap.step\nstep('a', { udno = print })")
      finds({ '3:11: scope:spawn: unknown option "nmae"; did you mean "name"?' },
        NEAP .. "local s <close> = neap.scope()\ns:spawn({ nmae = 'x' }, print)")
      finds({ '2:41: scope:spawn: unknown option "nmae"; did you mean "name"?' },
        NEAP .. "neap.scope(function(s) return s:spawn({ nmae = 'x' }, print) end)")
      finds({ '2:51: flow:parallel_map: unknown option "limt"; did you mean "limit"?' },
        NEAP .. "neap.flow(print):map(print):parallel_map(print, { limt = 8 })")
    end)

    it("takes what a body returns for what it is, and no scope", function()
      finds({}, NEAP .. [[
        local function body() return { total = 1 } end
        local a, b = neap.scope(body), neap.supervisor({ name = "b" }, body)
        local c = neap.scope(function() return { total = 3 } end)
        print(a.total, b.total, c.total, neap.scope({}, body).total)
      ]])
      finds({ '3:9: unknown name "scope:total"' },
        NEAP .. "local s <close> = neap.scope()\nprint(s.total)")
    end)

    it("says nothing about what was assigned since, or hidden", function()
      finds({}, NEAP .. "local f = neap.step f('a', { udno = 1 }) f = print")
      finds({}, NEAP .. "neap = {} neap.slep(1)")
      finds({}, NEAP .. "local f = not neap.step f('a', { udno = 1 })")
      finds({}, NEAP .. "do local neap = {} neap.slep(1) end")
      finds({}, "local function require() return {} end local neap = require('neap') neap.slep()")
    end)

    it("finds a scope that nothing leaves", function()
      local left = 'nothing leaves this scope: write "local %s <close> = neap.scope(...)", '
        .. "or give it a function"
      finds({ "2:11: " .. left:format("s") }, NEAP .. "local s = neap.scope()")
      finds({ "2:1: " .. left:format("s") }, NEAP .. "neap.scope({ name = 'x' })")
      finds({ "2:14: " .. left:format("mine") }, NEAP .. "local mine = neap.scope { name = 'x' }")
      finds({ "3:5: " .. left:format("s") }, NEAP .. "local s\ns = neap.scope()")
    end)

    it("takes a scope that is closed, by <close> or by hand, or has a body", function()
      finds({}, NEAP .. "local s <close> = neap.scope { name = 'x' }")
      finds({}, NEAP .. "local s = neap.scope() s:close()")
      finds({}, NEAP .. "neap.scope(print) neap.scope({ name = 'x' }, print)")
      finds({}, NEAP .. "local function open() return neap.scope() end open()")
    end)

    it("does not judge a scope that goes where it cannot be followed", function()
      for _, line in ipairs({
        "local s = neap.scope() return setmetatable({ scope = s }, {})",
        "local s = neap.scope() print(s)",
        "local s = neap.scope() neap.defer(s.close, s)",
        "local s = neap.scope() local _ <close> = s",
        "local s = neap.scope() s:spawn(print) local t = {} t.s = s",
        "local s s = neap.scope() return s",
        "s = neap.scope() local function stop() s:close() end stop()",
      }) do
        finds({}, NEAP .. line)
      end
      finds({ '2:11: nothing leaves this scope: write "local s <close> = neap.scope(...)", '
        .. "or give it a function" },
        NEAP .. "local s = neap.scope() s:spawn(print) return function() return s.name, s:join() end")
    end)

    it("finds a forgotten colon, and one too many", function()
      finds({ '3:3: "s.spawn" is a method: write "s:spawn(...)"' },
        NEAP .. "local s <close> = neap.scope()\ns.spawn(print)")
      finds({ '2:6: "neap.sleep" is a function, not a method: write "neap.sleep(...)"' },
        NEAP .. "neap:sleep(1)")
      finds({}, NEAP .. "local gate = neap.semaphore(1) gate.run(gate, print)")
      finds({}, NEAP .. "local gate = neap.semaphore(1) pcall(gate.run, gate, print)")
    end)
  end)

  describe("on long scripts", function()
    it("cuts a long line around the place", function()
      local _, output = run(file("local x = '" .. ("ä"):rep(5000) .. "' nope() print('" .. ("y"):rep(500) .. "')"))
      local shown, caret = output:match("\n  ([^\n]*)\n  ([^\n]*)\n")
      assert.is_true(#shown <= 100)
      assert.are.equal("nope", shown:sub(utf8.offset(shown, #caret - 3), -1):match("^%a+"))
    end)

    it("shows a hundred findings and counts the rest", function()
      local lines = {}
      for i = 1, 130 do lines[i] = ("undefined_%d()"):format(i) end
      local list = messages(table.concat(lines, "\n"))
      assert.are.equal(101, #list)
      assert.are.equal(" 30 more findings are not shown", list[101])
    end)

    it("reads chains and lists of any length", function()
      finds({ '1:50007: undefined global "nope"' },
        "x = {}" .. (";x.y = 1;"):rep(5555) .. "     nope()")
      finds({}, "x = {} y = x" .. (".x"):rep(20000) .. (" + 1"):rep(20000))
      finds({}, "x = {" .. ("{ id = 1 },"):rep(20000) .. "}")
    end)
  end)
end)
