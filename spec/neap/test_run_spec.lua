-- The command `neap test`: what it runs, what it prints, how it ends.

local binary = require("spec.neap.binary")

local path, write, read, neap = binary.path, binary.write, binary.read, binary.neap

before_each(binary.open_folder)
after_each(binary.remove_folder)

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

  it("ends with status 1 when no spec ran, as by a wrong filter", function()
    local r = test_file([[it("passes", function() end)]], "--filter typo")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("neap test: no spec ran: look at --filter", 1, true))
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

  it("runs the files of a folder whose names end in _spec.lua, and no others", function()
    os.execute("mkdir -p " .. path("folder/inner"))
    write("folder/a_specimen.lua", [[it("is no spec", function() end)]])
    assert.truthy(neap("test folder").err:find("folder: no name in it ends in _spec.lua", 1, true))
    write("folder/inner/b_spec.lua", [[it("is one", function() end)]])
    assert.are.equal("folder/inner/b_spec.lua .\n1 passed, 0 failed\n", neap("test folder").out)
  end)

  it("runs spec/neap when it is told nothing", function()
    os.execute("mkdir -p " .. path("spec/neap"))
    write("spec/neap/c_spec.lua", [[it("is one", function() end)]])
    assert.are.equal("spec/neap/c_spec.lua .\n1 passed, 0 failed\n", neap("test").out)
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
    assert.truthy(r.out:find("stuck waits in channel:recv at a_spec.lua:5", 1, true))
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
    assert.truthy(r.out:find("a_spec.lua:1: limit: held the loop for longer than 200ms", 1, true))
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

  it("runs no further spec once one has failed, if it is told so", function()
    local r = test_file([[
after_each(function() print("after") end)
it("passes", function() end)
it("fails", function() error("on purpose") end)
it("is not run", function() end)
]], "--fail-fast")
    assert.are.equal(1, r.status)
    assert.truthy(r.out:find("\n1 passed, 1 failed\n$"))
    assert.truthy(r.out:find("after.*after"))
    assert.are.equal(2, neap("test a_spec.lua --fail-fast=no").status)
  end)

  it("writes down with --ran which specs have passed", function()
    test_file([[
describe("outer", function() it("passes", function() end) end)
it("fails", function() error("on purpose") end)
pending("is skipped")
]], "--ran passed.txt")
    assert.are.equal("a_spec.lua\tpasses\n", read("passed.txt"))
  end)

  it("says that busted is not installed only if that is so", function()
    write("a_spec.lua", [[it("passes", function() end)]])
    local r = neap("test a_spec.lua", "LUA_PATH=nowhere")
    assert.are.equal(1, r.status)
    assert.truthy(r.err:find("busted is not installed", 1, true))
    os.execute("mkdir " .. path("busted"))
    write("busted/core.lua", "error('not enough memory', 0)")
    r = neap("test a_spec.lua", "LUA_PATH='./?.lua;;'")
    assert.are.equal(1, r.status)
    assert.are.equal("neap: not enough memory\n", r.err)
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
