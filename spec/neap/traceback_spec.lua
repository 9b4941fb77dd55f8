local neap = require("neap")
local raised = require("spec.neap.support").raised

describe("a traceback", function()
  it("names functions as a script writes them, whatever else they are called inside", function()
    local calls = {
      ["neap.scope"] = function(fn) neap.scope(fn) end,
      ["neap.timeout"] = function(fn) neap.timeout("1s", fn) end,
      ["neap.timeout_or"] = function(fn) neap.timeout_or("1s", fn) end,
      ["neap.shield"] = function(fn) neap.shield("1s", fn) end,
      ["neap.with"] = function(fn) neap.with({}, fn) end,
      ["string.gsub"] = function(fn) string.gsub("x", "x", fn) end,
      ["pcall"] = function(fn) pcall(fn) end,
    }
    for name, call in pairs(calls) do
      local traceback
      call(function() traceback = debug.traceback() end)
      assert.is_truthy(traceback:find(": in function '" .. name .. "'\n", 1, true), traceback)
    end
    local err = raised(neap.scope, function() error(neap.error("mine", "m")) end)
    assert.is_truthy(err.traceback:find("in function 'neap.scope'\n", 1, true), err.traceback)
  end)

  it("names a function of the script's by its module, or is the module's name", function()
    local traceback
    local orders = { pay = function() traceback = debug.traceback() end }
    local function refund() orders.pay() end
    package.loaded["spec.orders"], package.loaded["spec.refund"] = orders, refund
    refund()
    package.loaded["spec.orders"], package.loaded["spec.refund"] = nil, nil
    assert.is_truthy(traceback:find("in function 'spec.orders.pay'\n", 1, true), traceback)
    assert.is_truthy(traceback:find("in function 'spec.refund'\n", 1, true), traceback)
  end)

  it("leaves the middle of a deep stack out, and says so", function()
    local function deep(n)
      if n == 0 then return debug.traceback() end
      return (deep(n - 1))
    end
    local function levels(text) return select(2, text:gsub(": in ", "")) end
    local inner, skipped, outer = deep(1000):match("^(.*)\n\t%.%.%.\t%(skipping (%d+) levels%)\n(.*)$")
    assert.are.equal(10, levels(inner))
    assert.are.equal(11, levels(outer))
    assert.are.equal(levels(debug.traceback()) + 1001, 10 + skipped + 11)
  end)
end)

describe("debug.traceback", function()
  it("puts a message before the stack, and gives back what is none", function()
    local none = {}
    assert.are.equal(none, debug.traceback(none))
    assert.matches("^message\nstack traceback:\n\t[^\n]+traceback_spec%.lua:%d+: in ", debug.traceback("message"))
    assert.matches("^7\nstack traceback:\n", debug.traceback(7))
    assert.matches("^stack traceback:\n\t[^\n]+traceback_spec%.lua:%d+: in ", debug.traceback())
  end)

  it("begins at a level, and is empty beyond the last", function()
    local function at(level) return (debug.traceback("", level)) end
    assert.matches("^\nstack traceback:\n\t%[C%]: in function 'debug%.traceback'\n", at(0))
    assert.matches("^\nstack traceback:\n\t[^\n]+traceback_spec%.lua:%d+: in local 'at'\n", at(1))
    assert.are.equal("\nstack traceback:", at(100000))
    assert.are.equal("\nstack traceback:", at(math.maxinteger))
    assert.are.equal("\nstack traceback:", at(-1))
  end)

  it("shows the stack of another coroutine", function()
    local co = coroutine.create(function() coroutine.yield() end)
    assert.are.equal("stack traceback:", debug.traceback(coroutine.create(print)):match("^[^\n]+"))
    coroutine.resume(co)
    assert.matches("^m\nstack traceback:\n\t%[C%]: in function 'coroutine%.yield'\n", debug.traceback(co, "m"))
    assert.matches("^stack traceback:\n\t[^\n]+traceback_spec%.lua:%d+: in function <", debug.traceback(co, nil, 1))
  end)
end)
