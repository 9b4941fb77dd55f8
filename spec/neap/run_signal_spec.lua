-- What a signal does to a script that is running.

local binary = require("spec.neap.binary")

local shell, write, read = binary.shell, binary.write, binary.read
local run, run_and, READY = binary.run, binary.run_and, binary.READY

before_each(binary.open_folder)
after_each(binary.remove_folder)

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

  it("is ignored by the C library while os.execute runs, INT only", function()
    local text = [[
local neap = require("neap")
neap.blocking(os.execute, "echo ready; sleep 0.3")
neap.sleep("1ms")
print("went on")
]]
    local r = run_and(text, "", "kill INT")
    assert.are.equal(0, r.status)
    assert.are.equal("ready\nwent on\n", r.out)
    r = run_and(text, "", "kill TERM")
    assert.are.equal(143, r.status)
    assert.are.equal("ready\n", r.out)
  end)

  it("may come at any moment of the start", function()
    write("script.lua", "require('neap').sleep('1h')")
    for _, pause in ipairs({ "0", "0.001", "0.002", "0.004", "0.008", "0.016" }) do
      local status = shell(("cd '%s'; timeout -k 1 -s TERM %s '%s' run script.lua 2>err; echo $?"):format(
        binary.folder, pause == "0" and "0.0005" or pause, binary.NEAP))
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
    assert.truthy(r.err:find("main waits in neap.sleep at script.lua:5\n", 1, true))
    assert.truthy(r.err:find("  sleeper waits in neap.sleep at script.lua:2, spawned at script.lua:2\n", 1, true))
    assert.truthy(r.err:find("main running at script.lua:8\n", 1, true))
  end)

  it("keeps the host alive no longer than a task waits for it", function()
    local r = run([[
local neap = require("neap")
neap.scope(function(s)
  local waiter = s:spawn(function()
    for name in neap.signals("SIGHUP") do print(name) end
  end)
  neap.yield()
  waiter:cancel()
end)
neap.channel():recv()
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("^neap: deadlock: "))
  end)

  it("is refused by neap.signals when it is the host's own", function()
    for _, name in ipairs({ "SIGINT", "SIGTERM", "SIGUSR1", "SIGKILL", "HUP", "SIGNONSENSE" }) do
      local r = run(("require('neap').signals(%q)"):format(name))
      assert.are.equal(1, r.status)
      assert.truthy(r.err:find("script.lua:1: neap.signals: " .. name, 1, true))
      assert.truthy(r.err:find("SIGHUP", 1, true))
    end
  end)

  it("is refused by neap.signals in an isolate", function()
    local r = run([[
if ... == "script" then return function() require("neap").signals("SIGHUP") end end
package.path = arg[0]:gsub("script.lua", "?.lua")
local group <close> = require("neap").isolates(1, "script")
group:recv()
]])
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("script.lua:1: neap.signals: not in an isolate", 1, true))
  end)

  it("is not ignored by the programs that a script starts", function()
    local r = run([[print(io.popen("yes | head -n 1"):read("a"))]])
    assert.are.equal("y\n\n", r.out)
    assert.is_nil(r.err:find("roken pipe", 1, true))
  end)
end)
