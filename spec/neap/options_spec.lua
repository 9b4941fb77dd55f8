local options = require("neap.options")

local KNOWN = { "name", "limit", "deadline", "deadline_at" }

-- A function of Neap's own library, which is known by the name of its chunk.
local map = assert(load([[
  local options, known = ...
  return function(opts) return options.check("neap.map", opts, known) end
]], "=neap/map.lua"))(options, KNOWN)

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("neap.options", function()
  it("hands a table of known options back", function()
    local opts = { name = "a", deadline = "2s" }
    assert.are.equal(opts, map(opts))
  end)

  it("takes nil for no options", function()
    assert.are.same({}, map(nil))
  end)

  it("raises usage for an unknown option and names the nearest", function()
    local err = failure(map, { limt = 3 })
    assert.are.equal("usage", err.kind)
    assert.matches('neap.map: unknown option "limt"; did you mean "limit"?', err.message, 1, true)
  end)

  it("suggests nothing where nothing is near", function()
    assert.matches('unknown option "colour"$', failure(map, { colour = 3 }).message)
  end)

  it("refuses an option without a name", function()
    assert.matches("unknown option 1$", failure(map, { "2s" }).message)
  end)

  it("raises usage for what is no table", function()
    local err = failure(map, 8)
    assert.are.equal("usage", err.kind)
    assert.matches("neap.map: options are a table, got number", err.message, 1, true)
  end)

  it("blames the line of the script that called the library", function()
    local line
    local err = failure(function()
      line = debug.getinfo(1, "l").currentline + 1
      map({ limt = 3 })
    end)
    assert.matches("options_spec.lua:" .. line .. ": neap.map: unknown", err.message, 1, true)
  end)

  it("words a hint for whatever was misspelt", function()
    assert.are.equal('; did you mean "--limit"?', options.hint("limt", KNOWN, "--"))
    assert.are.equal("", options.hint("colour", KNOWN))
  end)
end)
