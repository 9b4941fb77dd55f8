-- Scripts as `neap run` runs them: what they are given, how they end.

local binary = require("spec.neap.binary")

local shell, path, write, read = binary.shell, binary.path, binary.write, binary.read
local neap, run = binary.neap, binary.run

before_each(binary.open_folder)
after_each(binary.remove_folder)

describe("neap run", function()
  it("runs a script with its arguments, and ends with status 0", function()
    local r = run('print("hello", ..., arg[0], arg[2], #arg)', "a b")
    assert.are.same({ 0, "hello\ta\tscript.lua\tb\t2\n", "" }, { r.status, r.out, r.err })
  end)

  it("runs the function given to neap.main after the file, with the arguments", function()
    local r = run([[
      local neap = require("neap")
      neap.main(function(a, b)
        neap.sleep("1ms")
        print("main", a, b)
      end)
      print("file")
    ]], "x y")
    assert.are.same({ 0, "file\nmain\tx\ty\n" }, { r.status, r.out })
  end)

  it("refuses a second neap.main, and one that is no function", function()
    local r = run([[
      local neap = require("neap")
      print(pcall(neap.main, 42))
      neap.main(function() print("first") end)
      neap.main(function() print("second") end)
    ]])
    assert.are.equal(1, r.status)
    assert.truthy(r.out:find("function expected", 1, true))
    assert.is_nil(r.out:find("first", 1, true))
    assert.truthy(r.err:find("script.lua:4: neap.main", 1, true))
  end)

  it("refuses neap.main after the file has been run", function()
    local r = run([[
      local neap = require("neap")
      neap.main(function() neap.main(print) end)
    ]])
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("script.lua:2: neap.main", 1, true))
    r = run([[
local neap = require("neap")
neap.app:spawn(function()
  neap.sleep("1ms")
  neap.main(print)
end)
]])
    assert.truthy(r.err:find("script.lua:4: neap.main: only in the file", 1, true))
  end)

  it("starts no thread and no task when modules are required", function()
    local r = run([[
local host = require("neap.core.host")
local function threads() return tonumber(io.open("/proc/self/status"):read("a"):match("Threads:%s*(%d+)")) end
local before = threads()
local neap = require("neap")
for name in pairs(require("cli.check.api").types.neap.members) do local _ = neap[name] end
for _, name in ipairs({ "json", "test", "error", "work", "blocking", "supervisor" }) do require("neap." .. name) end
print(before, threads(), #neap.tasks().children, host ~= nil)
]])
    assert.are.equal("", r.err)
    local before, after, children = r.out:match("^(%d+)%s+(%d+)%s+(%d+)")
    assert.are.equal(before, after)
    assert.are.equal("0", children)
  end)

  it("finds modules in the folder of the script", function()
    os.execute(("mkdir '%s'"):format(path("shop")))
    write("shop/order.lua", 'print((require("price")), (require("stock")))')
    write("shop/price.lua", "return 42")
    os.execute(("mkdir '%s'"):format(path("shop/stock")))
    write("shop/stock/init.lua", "return 7")
    assert.are.equal("42\t7\n", neap("run shop/order.lua").out)
  end)

  it("reads a script from standard input", function()
    local r = neap("run - x", [[printf 'print("piped", ..., arg[0])' |]])
    assert.are.same({ 0, "piped\tx\t-\n" }, { r.status, r.out })
  end)

  it("takes a first line with #! and a byte order mark", function()
    local r = run("\xEF\xBB\xBF#!/usr/bin/neap run\nprint(debug.getinfo(1, 'l').currentline)")
    assert.are.same({ 0, "2\n" }, { r.status, r.out })
  end)

  it("is alone with one status for each way to end", function()
    for text, status in pairs({
      ["return 5"] = 0,
      ["error('x')"] = 1,
      ["require('neap').exit(7) print('no')"] = 7,
      ["require('neap').exit()"] = 0,
      ["require('neap').exit(false)"] = 1,
      ["os.exit(9) print('no')"] = 9,
      ["os.exit(true)"] = 0,
      ["os.exit(false)"] = 1,
      ["os.exit()"] = 0,
      ["os.exit(3, true)"] = 3,
      ["local n = require('neap') n.main(function() n.exit(4) end)"] = 4,
      ["local n = require('neap') n.scope(function(s) s:spawn(function() n.exit(6) end) n.sleep(60) end)"] = 6,
    }) do
      local r = run(text)
      assert.are.equal(status, r.status, text)
      assert.are.equal("", r.out)
    end
  end)

  it("goes on behind neap.exit to the end of a shield, and in neap.app", function()
    local r = run([[
local neap = require("neap")
neap.app:spawn(function() neap.sleep("2ms") neap.exit(8) print("in app") end)
neap.shield("2s", function()
  neap.exit(7)
  neap.sleep("5ms")
  print("in shield")
end)
print("no")
]])
    assert.are.equal(7, r.status)
    assert.are.equal("in app\nin shield\n", r.out)
  end)

  it("is cancelled by neap.exit in any task: the main scope, and neap.app after the grace", function()
    write("script.lua", [[
local neap = require("neap")
neap.app:spawn(function() neap.sleep("50ms") print("in time") end)
neap.app:spawn(function()
  local _ <close> = neap.defer(function() print("app", neap.cancelled().kind) end)
  neap.sleep("1h")
end)
neap.scope(function(s)
  local _ <close> = neap.defer(function() print("main", neap.cancelled().kind) end)
  s:spawn(function() neap.sleep("1ms") neap.exit(9) end)
  neap.sleep("1h")
end)
]])
    local r = neap("run --grace 200ms script.lua")
    assert.are.equal(9, r.status)
    assert.are.equal("main\tshutdown\nin time\napp\tshutdown\n", r.out)
    assert.are.equal("", r.err)
  end)

  it("writes what was printed before os.exit", function()
    assert.are.equal("partly", run("io.write('partly') os.exit(0)").out)
  end)

  it("refuses a status that is none", function()
    local r = run("require('neap').exit(256)")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("script.lua:1:", 1, true))
  end)

  it("says of standard output that it could not be written", function()
    write("script.lua", "print('x')")
    local status = shell(("cd '%s'; '%s' run script.lua 2>err >/dev/full; echo $?"):format(binary.folder, binary.NEAP))
    assert.are.equal("1\n", status)
    assert.truthy(read("err"):find("standard output", 1, true))
  end)

  it("ends without a word, as a pipe's writer does, when nobody reads what it prints", function()
    write("script.lua", "local i = 0 while true do i = i + 1 print(i) end")
    local out = shell(("cd '%s'; { timeout 20 '%s' run script.lua 2>err; echo $? >status; } | head -n 1")
      :format(binary.folder, binary.NEAP))
    assert.are.equal("1\n", out)
    assert.are.equal("141\n", read("status"))
    assert.is_nil(read("err"):find("roken pipe", 1, true))
  end)
end)

describe("a script that cannot be run", function()
  it("is reported with the line and a caret", function()
    local r = run("local x = 1\nlocal y = = 2\n")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("^script.lua:2:11: unexpected symbol near '='\n"))
    assert.truthy(r.err:find("local y = = 2\n%s+%^"))
  end)

  it("is reported without a caret when its end is missing, all the same", function()
    local r = run("function f()\n")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("'end' expected", 1, true))
  end)

  it("may be compiled: bytecode is refused by name", function()
    write("compiled.lua", string.dump(function() return 1 end))
    local r = neap("run compiled.lua")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("compiled.lua: ", 1, true))
    assert.truthy(r.err:find("bytecode", 1, true))
  end)

  it("may be a folder", function()
    local r = neap("run .")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("folder", 1, true))
  end)

  it("may be missing", function()
    local r = neap("run nowhere.lua")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("nowhere.lua: No such file or directory", 1, true))
  end)

  it("may hold a NUL byte", function()
    local r = run("local x = \0")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("script.lua:1", 1, true))
  end)

  it("may be too long", function()
    os.execute(("truncate -s 65M '%s'"):format(path("script.lua")))
    local r = neap("run script.lua")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("64 MiB", 1, true))
  end)

  it("may be endless", function()
    local r = neap("run /dev/zero")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("64 MiB", 1, true))
  end)

  it("may be of 50 MB, and run", function()
    write("script.lua", ("-- " .. ("x"):rep(97) .. "\n"):rep(500000) .. "print('end')")
    assert.are.equal("end\n", neap("run script.lua").out)
  end)

  it("may be empty, and run", function()
    assert.are.equal(0, run("").status)
  end)

  it("may nest too deeply for Lua", function()
    local r = run("return " .. ("("):rep(100000) .. "1" .. (")"):rep(100000))
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("script.lua", 1, true))
  end)
end)
