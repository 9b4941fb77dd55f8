local binary = require("spec.neap.binary")

before_each(binary.open_folder)
after_each(binary.remove_folder)

-- What a script writes to standard error, which ends well.
local function warned(script)
  local ended = binary.run(script)
  assert.are.equal(0, ended.status)
  return ended.err
end

describe("an error in a finaliser", function()
  it("is a warning on standard error, and the script goes on", function()
    assert.are.equal("neap: warning: error in __gc (script.lua:1: boom)\n", warned([[
setmetatable({}, { __gc = function() error("boom") end })
collectgarbage()
]]))
  end)

  it("is told at the end of the script, too", function()
    assert.are.equal("neap: warning: error in __gc (script.lua:1: late)\n", warned([[
kept = setmetatable({}, { __gc = function() error("late") end })
]]))
  end)

  it("says what the mistake was, when it is one in a call", function()
    assert.are.equal("neap: warning: error in __gc (script.lua:2: neap.sleep: cannot suspend inside "
      .. "collectgarbage, called at script.lua:3: it is a C function that has to return first)\n", warned([[
local neap = require("neap")
setmetatable({}, { __gc = function() neap.sleep(1) end })
collectgarbage()
]]))
  end)
end)

describe("warn", function()
  it("prints one line, from other threads, too", function()
    assert.are.equal("neap: warning: low on lamps\nneap: warning: \nneap: warning: @ is no command\n"
      .. "neap: warning: from a thread\n", warned([[
warn("low on ", "lamps")
warn("")
warn("@", " is no command")
require("neap").work(function() warn("from a thread") end)
]]))
  end)

  it("is on until @off, and on again after @on", function()
    assert.are.equal("neap: warning: one\nneap: warning: two\nneap: warning: three\n", warned([[
warn("one")
warn("@unknown")
warn("two")
warn("@off")
warn("hidden")
warn("@", "on")
warn("hidden")
setmetatable({}, { __gc = error })
collectgarbage()
warn("@on")
warn("three")
]]))
  end)
end)
