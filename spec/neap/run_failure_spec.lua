-- What `neap run` prints about a script that fails or hangs, and what that leaves running.

local binary = require("spec.neap.binary")

local write, neap = binary.write, binary.neap
local run, run_and, READY = binary.run, binary.run_and, binary.READY

before_each(binary.open_folder)
after_each(binary.remove_folder)

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

  it("prints its own traceback, not that of an equal text that was raised before", function()
    local r = run([[
local neap = require("neap")
local function reserve() error("no stock", 0) end
local function ship()
  error("no stock", 0)
end
pcall(neap.scope, function(s) s:spawn(reserve) end)
neap.scope(function(s) s:spawn(ship) end)
]])
    assert.are.equal([[
neap: no stock
stack traceback:
	[C]: in function 'error'
	script.lua:4: in function <script.lua:3>
spawned at script.lua:7
]], r.err)

    r = run([[
local neap = require("neap")
pcall(neap.timeout, "1s", error, "no stock", 0)
error("no stock", 0)
]])
    assert.are.equal([[
neap: no stock
stack traceback:
	[C]: in function 'error'
	script.lua:3: in local 'chunk'
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

  it("of a step says which, and after how many attempts", function()
    local r = run([[
local neap = require("neap")
local function pay() error("bank is busy") end
neap.saga({ retry = { attempts = 2, base = 0 }, undo_retry = { attempts = 1 } }, function()
  neap.step("reserve", { run = function() end, undo = pay })
  neap.step("charge", pay)
end)
]])
    local function says(text) assert.truthy(r.err:find(text .. "\nstack traceback:", 1, true), r.err) end
    says('caused by: script.lua:2: bank is busy\nin the undo of step "reserve"')
    says('and: script.lua:2: bank is busy\nin step "charge", after 2 attempts')
  end)

  it("with a field named step of its own prints the same", function()
    local r = run('local neap = require("neap") local e = neap.error("a", "b") e.step = { name = 1 } error(e)')
    assert.truthy(r.err:find("^neap: a: b\nstack"), r.err)
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

  it("is that neap.app was cancelled under the main function, and by whom", function()
    local r = run([[
local neap = require("neap")
neap.app:spawn({ name = "watch" }, function() neap.app:cancel("no disk") end)
neap.sleep("1h")
]])
    assert.are.equal(1, r.status)
    assert.are.equal("neap: cancelled: neap.app was cancelled by watch: no disk\n", r.err)
    r = run([[
local neap = require("neap")
neap.app:spawn({ name = "watch" }, function() neap.sleep("5ms") neap.app:cancel("all is done") end)
]])
    assert.are.equal(0, r.status)
    assert.are.equal("", r.err)
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

describe("a main function that is killed", function()
  local SCRIPT = [[
local neap = require("neap")
neap.scope(function(s)
  s:spawn(neap.saga, function()
    neap.step("charge", { run = function() print("charged") end, undo = function()
      neap.sleep(arg[1])
      print("refunded")
    end })
    neap.sleep("1h")
  end)
  s:spawn(function()
    local _ <close> = neap.defer(error, "cannot clean up", 0)
    neap.sleep("1h")
  end)
  neap.sleep("10ms")
  s:cancel()
  while true do neap.raw.pcall(neap.sleep, "1s") end
end)
]]
  local KILLED = "neap: killed: script.lua:16: main ignored its cancellation at 1000 checkpoints and was killed\n"
    .. "neap: cannot clean up\n"

  it("leaves its tasks the time to undo what they did", function()
    write("script.lua", SCRIPT)
    local r = neap("run script.lua 50ms")
    assert.are.same({ 1, "charged\nrefunded\n", KILLED }, { r.status, r.out, r.err })
  end)

  it("ends the host at twice the grace at the latest", function()
    write("script.lua", SCRIPT)
    local r = neap("run --grace 50ms script.lua 1h")
    assert.are.same({ 1, "charged\n", KILLED }, { r.status, r.out, r.err })
  end)
end)

describe("a host without files to open", function()
  local TOO_MANY = "too many open files in this process; close some, or raise the limit (ulimit -n)\n"

  it("that cannot begin says what is lacking", function()
    for files = 4, 8 do
      local said = binary.shell(([[sh -c 'ulimit -n %d; exec "$0" version' '%s' 2>&1; echo $?]]):format(
        files, binary.NEAP))
      assert.are.equal("neap: " .. TOO_MANY .. "1\n", said)
    end
  end)

  it("raises that where an isolate or a thread would have begun", function()
    write("echo.lua", "return function(ch) for v in ch do ch:send(v) end end")
    write("script.lua", [[
local neap = require("neap")
local function show(fn, ...)
  local _, err = pcall(fn, ...)
  print(err.kind, err.code, err.message)
end
local files, file = {}, nil
repeat
  file = io.open("/dev/null")
  files[#files + 1] = file
until not file
show(neap.work, function() end)
show(function()
  local group <close> = neap.isolates(1, "echo")
  group:recv()
end)
for i = 1, 5 do files[i]:close() end
print(neap.work(function() return "again" end))
]])
    local r = neap("run script.lua", "ulimit -n 40;")
    assert.are.equal("io\tEMFILE\tneap.work: " .. TOO_MANY .. "io\tEMFILE\tneap.isolates: " .. TOO_MANY
      .. "again\n", r.out, r.err)
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
    assert.truthy(r.err:find("\n  main waits in neap.scope at script.lua:3\n", 1, true))
    assert.truthy(r.err:find("\n    a waits in channel:recv at script.lua:5, spawned at script.lua:4\n", 1, true))
    assert.truthy(r.err:find("\n    b waits in task:await a at script.lua:8, spawned at script.lua:7\n", 1, true))
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
