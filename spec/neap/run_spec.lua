-- These specs run the binary itself, as a child: what it prints, how it ends.

local popen = require("neap").raw.io.popen

local function shell(command)
  local pipe = assert(popen(command))
  local output = pipe:read("a")
  pipe:close()
  return output
end

-- The shell's parent is this process.
local NEAP = shell("readlink /proc/$PPID/exe"):gsub("%s+$", "")

local folder

local function path(name) return folder .. "/" .. name end

local function write(name, text)
  local file = assert(io.open(path(name), "wb"))
  file:write(text)
  file:close()
end

local function read(name)
  local file = assert(io.open(path(name), "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- Run the command line `arguments` in the folder; nothing takes longer than `limit`.
local function neap(arguments, before)
  local status = shell(("cd '%s'; %s timeout 20 '%s' %s >out 2>err; echo $?"):format(
    folder, before or "", NEAP, arguments))
  return { status = tonumber(status), out = read("out"), err = read("err") }
end

-- Run a script.
local function run(text, arguments)
  write("script.lua", text)
  return neap("run script.lua " .. (arguments or ""))
end

-- Run a script until it has printed "ready", then the shell's commands; `kill` sends to it.
local function run_and(text, options, commands)
  write("script.lua", text)
  local status = shell(([[
    cd '%s'; : >out
    '%s' run %s script.lua >out 2>err & pid=$!
    kill() { command kill -$1 $pid; }
    tries=0
    until grep -q ready out || [ $tries -gt 500 ]; do sleep 0.01; tries=$((tries + 1)); done
    %s
    tries=0
    while command kill -0 $pid 2>/dev/null && [ $tries -lt 900 ]; do sleep 0.01; tries=$((tries + 1)); done
    [ $tries -lt 900 ] || command kill -KILL $pid
    wait $pid; echo $?
  ]]):format(folder, NEAP, options or "", commands))
  return { status = tonumber(status), out = read("out"), err = read("err") }
end

-- Say that the script is ready: what comes after is not buffered either.
local READY = 'print("ready")\n'

before_each(function() folder = shell("mktemp -d"):gsub("%s+$", "") end)
after_each(function() os.execute("rm -r '" .. folder .. "'") end)

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
    local status = shell(("cd '%s'; '%s' run script.lua 2>err >/dev/full; echo $?"):format(folder, NEAP))
    assert.are.equal("1\n", status)
    assert.truthy(read("err"):find("standard output", 1, true))
  end)

  it("ends without a word, as a pipe's writer does, when nobody reads what it prints", function()
    write("script.lua", "local i = 0 while true do i = i + 1 print(i) end")
    local out = shell(("cd '%s'; { timeout 20 '%s' run script.lua 2>err; echo $? >status; } | head -n 1")
      :format(folder, NEAP))
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

describe("an unhandled error", function()
  it("prints message, traceback, and where its tasks were spawned", function()
    local r = run([[
local neap = require("neap")
local function pay() local order = nil; return order.id end
neap.scope(function(s)
  s:spawn(function()
    neap.scope(function(inner)
      inner:spawn(pay)
    end)
  end)
end)
]])
    assert.are.equal(1, r.status)
    assert.are.equal([[
neap: script.lua:2: attempt to index a nil value (local 'order')
stack traceback:
	script.lua:2: in function <script.lua:2>
spawned at script.lua:6
spawned at script.lua:4
]], r.err)
  end)

  it("that is an error object prints the same", function()
    local r = run([[
local neap = require("neap")
neap.scope(function(s)
  s:spawn(function() error(neap.error("pay", "no money", { cause = neap.error("sql", "gone") })) end)
end)
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("^neap: pay: no money\nstack traceback:\n"))
    assert.truthy(r.err:find("spawned at script.lua:3\n", 1, true))
    assert.truthy(r.err:find("caused by: sql: gone\n", 1, true))
  end)

  it("prints what else failed", function()
    local r = run([[
local neap = require("neap")
neap.scope(function(s)
  s:spawn(function()
    local _ <close> = setmetatable({}, { __close = function() error("second", 0) end })
    neap.sleep(60)
  end)
  neap.yield()
  error(neap.error("first", "of all"))
end)
]])
    assert.truthy(r.err:find("and: second\n", 1, true))
  end)

  it("may be any value", function()
    assert.truthy(run("error({})").err:find("^neap: a table was raised"))
    assert.truthy(run("error(nil)").err:find("^neap: nil"))
    assert.truthy(run("error(setmetatable({}, { __tostring = function() return 'mine' end }))").err
      :find("^neap: mine\n"))
    assert.truthy(run("error('two\\nlines', 0)").err:find("^neap: two\nlines\n"))
  end)

  it("in neap.app is reported, and does not change the status", function()
    local r = run([[
local neap = require("neap")
neap.app:spawn(function() error("stray", 0) end)
neap.app:spawn(function() neap.sleep("5ms") print("still here") end)
]])
    assert.are.equal(0, r.status)
    assert.are.equal("still here\n", r.out)
    assert.truthy(r.err:find("stray", 1, true))
  end)

  it("of the main function gives neap.app the grace, then cancels it", function()
    write("script.lua", [[
local neap = require("neap")
neap.app:spawn(function() neap.sleep("20ms") print("in time") end)
neap.app:spawn(function()
  local _ <close> = neap.defer(function() print("cleaned up") end)
  neap.sleep("1h")
end)
error("boom", 0)
]])
    local r = neap("run --grace 100ms script.lua")
    assert.are.equal(1, r.status)
    assert.are.equal("in time\ncleaned up\n", r.out)
    assert.truthy(r.err:find("neap: boom", 1, true))
  end)
end)

describe("a deadlock", function()
  it("prints every task with what it waits for and where, and ends with status 1", function()
    local r = run([[
local neap = require("neap")
local ch = neap.channel()
neap.scope(function(s)
  local a = s:spawn({ name = "a" }, function()
    ch:recv()
  end)
  s:spawn({ name = "b" }, function()
    a:await()
  end)
  neap.mutex():lock()
end)
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("^neap: deadlock: "))
    assert.truthy(r.err:find("\n  main waits in scope.leave at script.lua:3\n", 1, true))
    assert.truthy(r.err:find("\n    a waits in chan.recv at script.lua:5, spawned at script.lua:4\n", 1, true))
    assert.truthy(r.err:find("\n    b waits in task.await a at script.lua:8, spawned at script.lua:7\n", 1, true))
  end)

  it("is none while a signal may come that a task waits for", function()
    local r = run_and([[
local neap = require("neap")
local signals = table.pack(neap.signals("SIGHUP", "SIGUSR2"))
]] .. READY .. [[
for name in table.unpack(signals, 1, signals.n) do
  print(name)
  if name == "SIGUSR2" then break end
end
]], "", "kill HUP; sleep 0.1; kill USR2")
    assert.are.equal(0, r.status)
    assert.are.equal("ready\nSIGHUP\nSIGUSR2\n", r.out)
  end)
end)

describe("a signal", function()
  local SLEEPER = [[
local neap = require("neap")
local _ <close> = neap.defer(function()
  neap.shield("5s", neap.sleep, "10ms")
end)
local _ <close> = neap.defer(function() print("reason", neap.cancelled().kind) end)
]] .. READY .. [[
neap.sleep("1h")
print("went on")
]]

  it("cancels the main scope with reason shutdown: status 130 and 143", function()
    for name, status in pairs({ INT = 130, TERM = 143 }) do
      local r = run_and(SLEEPER, "", "kill " .. name)
      assert.are.equal(status, r.status)
      assert.are.equal("ready\nreason\tshutdown\n", r.out)
      assert.are.equal("", r.err)
    end
  end)

  it("gives the status also when the main function ends as if nothing had been", function()
    local r = run_and([[
local neap = require("neap")
]] .. READY .. [[
neap.raw.pcall(neap.sleep, "1h")
]], "", "kill TERM")
    assert.are.equal(143, r.status)
  end)

  it("reaches a task that holds the loop, also through pcall", function()
    for _, loop in ipairs({ "while true do end", "while true do pcall(function() while true do end end) end",
                            "string.rep('a', 40):find(('a?'):rep(40) .. ('a'):rep(40))" }) do
      local r = run_and([[
local neap = require("neap")
local _ <close> = neap.defer(function() print("closed") end)
]] .. READY .. loop, "", "kill INT")
      assert.are.equal(130, r.status)
      assert.are.equal("ready\nclosed\n", r.out)
    end
  end)

  it("gives neap.app the grace, then cancels it", function()
    local r = run_and([[
local neap = require("neap")
neap.app:spawn(function() neap.sleep("150ms") print("in time") end)
neap.app:spawn(function()
  local _ <close> = neap.defer(function() print("app", neap.cancelled().kind) end)
  neap.sleep("1h")
end)
local _ <close> = neap.defer(function() print("main") end)
]] .. READY .. [[
neap.sleep("1h")
]], "--grace 300ms", "kill INT")
    assert.are.equal(130, r.status)
    assert.are.equal("ready\nmain\nin time\napp\tshutdown\n", r.out)
  end)

  it("ends the process after the second grace, whatever it does", function()
    for _, stuck in ipairs({
      'neap.shield("1h", neap.sleep, "1h")',
      'while true do neap.raw.pcall(function() while true do end end) end',
      'os.execute("sleep 5")',
    }) do
      local r = run_and([[
local neap = require("neap")
]] .. READY .. stuck, "--grace 100ms", "kill TERM")
      assert.are.equal(143, r.status)
    end
  end)

  it("that is the second ends it at once", function()
    local r = run_and([[
local neap = require("neap")
local _ <close> = neap.defer(function()
  print("closing")
  neap.shield("1h", neap.sleep, "1h")
end)
]] .. READY .. [[
neap.sleep("1h")
]], "", "kill INT; until grep -q closing out; do sleep 0.01; done; kill TERM")
    assert.are.equal(143, r.status)
    assert.are.equal("ready\nclosing\n", r.out)
  end)

  it("ends it at once after neap.exit, too", function()
    local r = run_and([[
local neap = require("neap")
local _ <close> = neap.defer(function() neap.shield("1h", neap.sleep, "1h") end)
]] .. READY .. [[
neap.exit(3)
]], "", "sleep 0.1; kill INT")
    assert.are.equal(130, r.status)
  end)

  it("may come at any moment of the start", function()
    write("script.lua", "require('neap').sleep('1h')")
    for _, pause in ipairs({ "0", "0.001", "0.002", "0.004", "0.008", "0.016" }) do
      local status = shell(("cd '%s'; timeout -k 1 -s TERM %s '%s' run script.lua 2>err; echo $?"):format(
        folder, pause == "0" and "0.0005" or pause, NEAP))
      -- 124: timeout says so for what it had to end.
      assert.are.equal("124\n", status)
      assert.are.equal("", read("err"))
    end
  end)

  it("USR1 prints the tree of tasks, also while one holds the loop", function()
    local r = run_and([[
local neap = require("neap")
neap.app:spawn({ name = "sleeper" }, function() neap.sleep("1h") end)
neap.yield()
]] .. READY .. [[
neap.sleep("300ms")
print("busy")
local from = neap.monotonic()
while neap.monotonic() < from + 0.5 do end
os.exit(0)
]], "", "kill USR1; until grep -q busy out; do sleep 0.01; done; sleep 0.1; kill USR1")
    assert.are.equal(0, r.status)
    assert.truthy(r.err:find("main waits in sleep at script.lua:5\n", 1, true))
    assert.truthy(r.err:find("  sleeper waits in sleep at script.lua:2, spawned at script.lua:2\n", 1, true))
    assert.truthy(r.err:find("main running at script.lua:8\n", 1, true))
  end)

  it("is refused by neap.signals when it is the host's own", function()
    for _, name in ipairs({ "SIGINT", "SIGTERM", "SIGUSR1", "SIGKILL", "HUP", "SIGNONSENSE" }) do
      local r = run(("require('neap').signals(%q)"):format(name))
      assert.are.equal(1, r.status)
      assert.truthy(r.err:find("script.lua:1: neap.signals: " .. name, 1, true))
      assert.truthy(r.err:find("SIGHUP", 1, true))
    end
  end)

  it("is not ignored by the programs that a script starts", function()
    local r = run([[print(io.popen("yes | head -n 1"):read("a"))]])
    assert.are.equal("y\n\n", r.out)
    assert.is_nil(r.err:find("roken pipe", 1, true))
  end)
end)

describe("the command line", function()
  it("alone is a guide of twelve lines", function()
    local r = neap("")
    assert.are.equal(0, r.status)
    assert.are.equal(12, select(2, r.out:gsub("\n", "\n")))
  end)

  it("tells the version", function()
    assert.truthy(neap("version").out:find("^neap %d+%.%d+%.%d+, Lua 5%.4\n$"))
    assert.are.equal(neap("version").out, neap("--version").out)
  end)

  it("suggests the nearest command and option", function()
    local r = neap("rnu x")
    assert.are.equal(2, r.status)
    assert.truthy(r.err:find("did you mean neap run?", 1, true))
    r = neap("run --grce 3 x")
    assert.are.equal(2, r.status)
    assert.truthy(r.err:find("did you mean --grace?", 1, true))
    r = neap("test --sede 3")
    assert.are.equal(2, r.status)
    assert.truthy(r.err:find("did you mean --seed?", 1, true))
    assert.truthy(neap("script.lua").err:find("neap run script.lua", 1, true))
    assert.truthy(neap("--hlep").err:find("unknown option --hlep; did you mean neap --help?", 1, true))
  end)

  it("shows the page of a command for --help", function()
    for command, title in pairs({ run = "Run a script", test = "Testing", repl = "Try things out", check = "Check" }) do
      local r = neap(command .. " --help")
      assert.are.equal(0, r.status)
      assert.are.equal(1, r.out:find(title, 1, true), r.out)
    end
  end)

  it("refuses options without a value, and values that are none", function()
    for _, wrong in ipairs({ "run --grace", "run --grace soon x", "run", "test --seed x",
                             "test --slice-limit soon", "test --filter '['", "test nowhere" }) do
      local r = neap(wrong)
      assert.are.equal(2, r.status, wrong)
      assert.are_not.equal("", r.err)
    end
  end)

  it("takes --name=value, and -- before a file", function()
    write("script.lua", "print(...)")
    assert.are.equal("--x\n", neap("run --grace=1s -- script.lua --x").out)
  end)
end)

describe("neap test", function()
  local function test_file(text, arguments)
    write("a_spec.lua", text)
    return neap("test a_spec.lua " .. (arguments or ""))
  end

  it("counts on its last line, and ends with status 1 if one failed", function()
    local r = test_file([[
it("passes", function() end)
it("fails", function() assert.are.equal(1, 2) end)
pending("is not there yet")
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.out:find("\n1 passed, 1 failed, 1 skipped\n$"))
    assert.truthy(r.out:find("FAILED fails\na_spec.lua:2: ", 1, true))
    r = test_file([[it("passes", function() end)]])
    assert.are.equal(0, r.status)
    assert.truthy(r.out:find("\n1 passed, 0 failed\n$"))
  end)

  it("runs any .lua file that is named, and refuses what can hold no specs", function()
    write("a.lua", [[it("passes", function() end)]])
    assert.truthy(neap("test a.lua").out:find("\n1 passed, 0 failed\n$"))
    for arguments, why in pairs({
      ["a.txt"] = "a.txt: no file of specs: its name does not end in .lua",
      ["a.lua nowhere"] = "nowhere: No such file or directory",
      ["empty"] = "empty: no name in it ends in _spec.lua",
    }) do
      write("a.txt", "")
      os.execute("mkdir -p " .. path("empty"))
      local r = neap("test " .. arguments)
      assert.are.equal(2, r.status)
      assert.are.equal("neap test: " .. why, r.err:match("^[^\n]*"))
    end
  end)

  it("shows where an error began, in a task too", function()
    local r = test_file([[
local neap = require("neap")
it("fails", function()
  neap.scope(function(s)
    s:spawn(function() error("boom") end)
  end)
end)
]])
    assert.truthy(r.out:find("a_spec.lua:4: boom", 1, true))
    assert.truthy(r.out:find("spawned at a_spec.lua:4\n", 1, true))
  end)

  it("fails a spec that deadlocks, with the waiting tasks, and goes on", function()
    local r = test_file([[
local neap = require("neap")
after_each(function() print("after") end)
it("hangs", function()
  neap.scope(function(s)
    s:spawn({ name = "stuck" }, function() neap.channel():recv() end)
  end)
end)
it("passes", function() neap.sleep("1h") end)
]])
    assert.truthy(r.out:find("stuck waits in chan.recv at a_spec.lua:5", 1, true))
    assert.truthy(r.out:find("after.*after"))
    assert.truthy(r.out:find("\n1 passed, 1 failed\n$"))
  end)

  it("fails a spec that deadlocks before or after each", function()
    local r = test_file([[
local neap = require("neap")
describe("one", function()
  before_each(function() neap.channel():recv() end)
  it("hangs before", function() end)
end)
describe("two", function()
  after_each(function() neap.channel():recv() end)
  it("hangs after", function() end)
end)
it("passes", function() end)
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.out:find("deadlock", 1, true))
    assert.truthy(r.out:find("passed, 2 failed\n$"))
  end)

  it("fails a spec whose slice never ends, caught or not, and goes on", function()
    local r = test_file([[
it("spins", function() while true do end end)
it("spins on", function() while true do pcall(function() while true do end end) end end)
it("passes", function() end)
]], "--slice-limit 200ms")
    assert.truthy(r.out:find("a_spec.lua:1: limit: ran for more than 200ms", 1, true))
    assert.truthy(r.out:find("\n1 passed, 2 failed\n$"))
  end)

  it("fails a spec by what it left in neap.app", function()
    local r = test_file([[
local neap = require("neap")
it("leaves something", function()
  neap.app:spawn(function()
    neap.sleep(1)
    error("stray", 0)
  end)
end)
it("passes", function() end)
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.out:find("stray", 1, true))
  end)

  it("prints the seed of a schedule that failed, which repeats it", function()
    local spec = [[
local neap, test = require("neap"), require("neap.test")
it("depends on the order", function()
  test.schedules(100, function()
    local order = ""
    neap.scope(function(s)
      for i = 1, 3 do s:spawn(function() order = order .. i end) end
    end)
    assert.are_not.equal("321", order)
  end)
end)
]]
    local r = test_file(spec)
    assert.are.equal(1, r.status)
    local seed = assert(r.out:match("neap test %-%-seed (%d+)\n"))
    r = test_file(spec, "--seed " .. seed)
    assert.are.equal(1, r.status)
    assert.truthy(r.out:find("failed under seed " .. seed .. ";", 1, true))
  end)

  it("runs each spec under each of several seeds, until it fails under one", function()
    local r = test_file([[
local neap, test = require("neap"), require("neap.test")
local function order()
  local ran = ""
  neap.all { function() ran = ran .. "1" end, function() ran = ran .. "2" end }
  return ran
end
it("fails when the second is first", function() assert.are.equal("12", order()) end)
it("passes", function() order() end)
it("is about the default order #fifo", function() assert.is_nil(test.seed) end)
]], "--seed 1..50")
    assert.are.equal(1, r.status)
    local seed = r.out:match("to repeat it: neap test %-%-seed (%d+) a_spec.lua\n")
    assert.truthy(r.out:find(("\n%d passed, 1 failed\n"):format(50 + seed - 1), 1, true))
    r = neap(("test --seed %d a_spec.lua"):format(seed))
    assert.truthy(r.out:find("\n1 passed, 1 failed\n", 1, true))
    r = neap(("test --seed %d a_spec.lua"):format(seed - 1))
    assert.truthy(r.out:find("\n2 passed, 0 failed\n", 1, true))
  end)

  it("runs what a pattern matches, of the whole name", function()
    local r = test_file([[
describe("outer", function()
  it("one", function() end)
  it("two", function() end)
end)
it("three", function() error("not this") end)
]], "--filter '^outer t'")
    assert.truthy(r.out:find("\n1 passed, 0 failed\n$"))
  end)

  it("writes down with --ran which specs have passed", function()
    test_file([[
describe("outer", function() it("passes", function() end) end)
it("fails", function() error("on purpose") end)
pending("is skipped")
]], "--ran passed.txt")
    assert.are.equal("a_spec.lua\tpasses\n", read("passed.txt"))
  end)

  it("reports a file that does not compile, and one that raises", function()
    assert.are.equal(1, test_file("it(").status)
    assert.are.equal(1, test_file("error('at the top')").status)
  end)

  it("keeps os.exit and the globals of one file from the other", function()
    write("a_spec.lua", [[it("sets", function() x = 1 _G.y = 2 end)]])
    write("b_spec.lua", [[it("sees", function() assert.is_nil(x) assert.is_nil(y) end)]])
    local r = neap("test a_spec.lua b_spec.lua")
    assert.truthy(r.out:find("\n2 passed, 0 failed\n$"))
  end)
end)
