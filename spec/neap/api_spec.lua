local neap = require("neap")
local api = require("cli.check.api")

describe("the names that neap check knows", function()
  it("contain every name that neap has", function()
    local missing = {}
    for name in pairs(neap) do
      if not api.types.neap.members[name] then missing[#missing + 1] = name end
    end
    assert.are.same({}, missing)
  end)

  it("contain none that neap has not", function()
    local spare = {}
    for name in pairs(api.types.neap.members) do
      if neap[name] == nil then spare[#spare + 1] = name end
    end
    assert.are.same({}, spare)
  end)

  it("contain every name of Lua's standard library", function()
    local missing = {}
    for name, members in pairs(api.types) do
      local module = not name:find("^neap") and members.module and require(name)
      for member in pairs(module or {}) do
        if not members.members[member] then missing[#missing + 1] = name .. "." .. member end
      end
    end
    assert.are.same({}, missing)
  end)

  it("refer to types that are there", function()
    for name, known in pairs(api.types) do
      for member, fact in pairs(known.members) do
        for _, type_name in ipairs({ fact.returns or fact.is, table.unpack(fact.body or {}) }) do
          assert.is_table(api.types[type_name], name .. "." .. member .. ": " .. type_name)
        end
      end
    end
  end)
end)
