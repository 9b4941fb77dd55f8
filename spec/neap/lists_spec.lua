local neap = require("neap")
local raised = require("spec.neap.support").raised

local function fill(list, value)
  for key in pairs(list) do list[key] = value end
  return list
end

-- What takes a list. It is given one of functions, and makes of them what it takes.
local TAKERS = {
  ["neap.all"] = neap.all,
  ["neap.any"] = neap.any,
  ["neap.race"] = neap.race,
  ["neap.settle"] = neap.settle,
  ["neap.quorum"] = function(list) return neap.quorum(0, list) end,
  ["neap.map"] = function(list) return neap.map(list, error) end,
  ["neap.flow.from"] = neap.flow.from,
  ["neap.select"] = function(list) return neap.select(fill(list, neap.after("1s"))) end,
  ["neap.args: color: choices"] = function(list)
    return neap.args.parse({ color = { type = "choice", choices = fill(list, "red") } }, {})
  end,
  ["neap.process.run"] = function(list) return neap.process.run(fill(list, "echo")) end,
}

local function ran() error("it ran") end

local function refuses(make_list, pattern)
  for name, take in pairs(TAKERS) do
    local err = raised(take, make_list())
    assert.are.equal("usage", err.kind, name)
    assert.matches("%.lua:%d+: " .. name .. ": .*" .. pattern, err.message)
  end
end

describe("a list", function()
  it("with a name for a key is a mistake", function()
    refuses(function() return { first = ran } end, "first")
    refuses(function() return { ran, ran, last = ran } end, "last")
  end)

  it("with nil among its elements is a mistake", function()
    refuses(function() return { ran, nil, ran } end, "2")
    refuses(function()
      local list = { ran }
      list[3] = ran         -- for Lua its length is still 1
      return list
    end, "[23]")
  end)

  it("with a key that is no place is a mistake", function()
    refuses(function() return { [0] = ran } end, "0")
    refuses(function() return { ran, [1.5] = ran } end, "1.5")
    refuses(function() return { ran, [{}] = ran } end, "table: ")
  end)

  it("may come from table.pack, unless a nil is in it", function()
    local function one() return 1 end
    assert.are.same({ 1, 1 }, { neap.all(table.pack(one, one)) })
    assert.are.same({}, neap.settle(table.pack()))
    assert.matches("nil as element 2 of 2", raised(neap.all, table.pack(one, nil)).message)
  end)

  it("with a metatable knows by itself what it holds", function()
    local orders = setmetatable({ name = "open", "A-1", "A-2" }, { __index = table })
    assert.are.same({ "A-1", "A-2" }, neap.flow.from(orders):to_list())
    local proxy = setmetatable({ of = { 1, 2 } }, {
      __len = function(self) return #self.of end,
      __index = function(self, i) return self.of[i] end,
    })
    assert.are.same({ 2, 4 }, neap.map(proxy, function(n) return 2 * n end))
  end)
end)
