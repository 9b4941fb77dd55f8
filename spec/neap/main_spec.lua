local neap = require("neap")
local binary = require("spec.neap.binary")

local MODULE = [[
local neap = require("neap")
neap.main(function() print("main of the module") end)
return { name = ... }
]]

describe("neap.main", function()
  before_each(binary.open_folder)
  after_each(binary.remove_folder)

  it("has no effect in a module that the script requires", function()
    binary.write("order.lua", MODULE)
    local ended = binary.run([[
      local neap = require("neap")
      print(require("order").name)
      neap.main(function()
        package.loaded.order = nil
        print("main", require("order").name)
      end)
    ]])
    assert.are.same({ 0, "order\nmain\torder\n" }, { ended.status, ended.out })
  end)

  it("has no effect in a module that a spec requires", function()
    package.preload["spec.order"] = load(MODULE)
    local order = require("spec.order")
    package.preload["spec.order"], package.loaded["spec.order"] = nil, nil
    assert.are.equal("spec.order", order.name)
  end)

  it("is refused in a spec itself, and refuses what is no function in a module, too", function()
    local ok, err = pcall(neap.main, print)
    assert.is_false(ok)
    assert.are.equal("usage", err.kind)

    package.preload["spec.order"] = load('require("neap").main(1)')
    ok, err = pcall(require, "spec.order")
    package.preload["spec.order"] = nil
    assert.is_false(ok)
    assert.are.equal("usage", err.kind)
  end)
end)
