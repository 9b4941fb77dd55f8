local api = require("cli.check.api")

describe("the names that neap check knows", function()
  it("are those of Neap's modules and of Lua's standard library, no more and no fewer", function()
    local missing, spare = {}, {}
    for name, known in pairs(api.types) do
      if known.module then
        local module = require(name)
        for member in pairs(module) do
          if not known.members[member] then missing[#missing + 1] = name .. "." .. member end
        end
        for member in pairs(known.members) do      -- some are loaded when they are asked for
          if module[member] == nil then spare[#spare + 1] = name .. "." .. member end
        end
      end
    end
    assert.are.same({ missing = {}, spare = {} }, { missing = missing, spare = spare })
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
