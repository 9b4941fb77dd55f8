-- Isolates and signals: a script runs as a child, since the signal ends it.

local fs = require("neap.fs")
local process = require("neap.process")
local test = require("neap.test")

local NEAP = "/proc/self/exe"

describe("isolates that", function()
  it("wait for each other without an end, which a signal ends", function()
    local folder <close> = fs.temp_dir()
    fs.write(folder.path .. "/waits.lua", [[return function(ch) ch:send(ch:recv()) end]])
    fs.write(folder.path .. "/script.lua", [[
      local neap = require("neap")
      local group <close> = neap.isolates(2, "waits")
      print(select(2, group[1]:recv_within("50ms")))
      io.stdout:flush()
      neap.all({ function() group[1]:recv() end, function() group[2]:recv() end })]])
    local child <close> = process.spawn({ NEAP, "run", "script.lua", cwd = folder.path })
    assert.are.equal("timeout", child.stdout:read("line"))
    local early
    test.real_time(function() early = select(2, require("neap").timeout_or("200ms", child.wait, child)) end)
    assert.are.equal("timeout", early)
    child:kill("SIGINT")
    assert.are.equal(130, child:wait())
    assert.are.equal("", child.stderr:read("all"))
  end)
end)
