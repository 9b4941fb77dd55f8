local options = require("neap.options")

local KNOWN = { "name", "limit", "deadline", "deadline_at" }

-- A function of a library as its author writes it.
local function map(opts)
  return options.check("neap.map", opts, KNOWN)
end

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

  it("blames the caller of the function that checks", function()
    local line
    local err = failure(function()
      line = debug.getinfo(1, "l").currentline + 1
      map({ limt = 3 })
    end)
    assert.matches("options_spec.lua:" .. line .. ": ", err.message, 1, true)
  end)

  it("blames whom `level` says", function()
    local function outer(opts)
      local checked = options.check("neap.outer", opts, KNOWN, 3)
      return checked
    end
    local line
    local function middle(opts)
      local checked = outer(opts)
      return checked
    end
    local err = failure(function()
      line = debug.getinfo(1, "l").currentline + 1
      middle({ limt = 3 })
    end)
    assert.matches("options_spec.lua:" .. line .. ": ", err.message, 1, true)
  end)

  it("gives no place where the caller is not Lua", function()
    assert.matches("^neap.map: unknown", failure(map, { limt = 3 }).message)
  end)

  it("words a hint for whatever was misspelt", function()
    assert.are.equal('; did you mean "--limit"?', options.hint("limt", KNOWN, "--"))
    assert.are.equal("", options.hint("colour", KNOWN))
  end)
end)
