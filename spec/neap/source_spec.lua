local neap = require("neap")

local REFUSED = "compiled Lua (bytecode) is refused: Lua does not check it, and it could break the host; "
  .. "load the source"

-- A file in a folder of its own, and the folder, which is removed when it is left.
local function file_of(bytes)
  local folder = neap.fs.temp_dir()
  local path = folder.path .. "/spec_module.lua"
  neap.fs.write(path, bytes)
  return path, folder
end

-- Requires the module in that file.
local function require_file(path)
  local before = package.path
  local _ <close> = neap.defer(function()
    package.path = before
    package.loaded.spec_module = nil
  end)
  package.path = path
  return pcall(require, "spec_module")
end

describe("compiled Lua", function()
  it("is refused by load, loadfile, dofile and require", function()
    local code = string.dump(function() return 1 end)
    local pieces = { code }
    for _, chunk in ipairs({
      { load(code) }, { load(code, "=x", "b") }, { load(code, "=x", "bt", {}) },
      { load(function() return table.remove(pieces) end) }, { load("return 1", "=x", "b") },
    }) do
      assert.are.same({ nil, REFUSED }, chunk)
    end

    local path, _ <close> = file_of(code)
    for _, mode in ipairs({ "b", "bt", "t" }) do
      assert.are.same({ nil, path .. ": " .. REFUSED }, { loadfile(path, mode) })
    end
    assert.are.same({ nil, path .. ": " .. REFUSED }, { loadfile(path) })
    assert.are.same({ false, path .. ": " .. REFUSED }, { pcall(dofile, path) })
    local ok, err = require_file(path)
    assert.is_false(ok)
    assert.is_truthy(err:find(path .. ": " .. REFUSED, 1, true), err)
  end)

  it("is refused in neap.work, too, which itself runs functions of the script", function()
    local code = string.dump(function() return 1 end)
    assert.are.equal(REFUSED, neap.work(function(bytes) return (select(2, load(bytes))) end, code))
  end)
end)

describe("source", function()
  it("is loaded as Lua does", function()
    assert.are.equal(1, load("return 1")())
    assert.are.equal(2, load("return x", "=x", nil, { x = 2 })())
    assert.has_error(load("return x.y", "=n", "t", nil), "attempt to index a nil value (upvalue '_ENV')")
    assert.are.same({ nil, "n:1: unexpected symbol near <eof>" }, { load("return (", "=n") })
    local words = { "3", "return " }
    assert.are.equal(3, load(function() return table.remove(words) end)())
    local raised = neap.error("mine", "m")
    assert.are.same({ true, nil, raised }, { pcall(load, function() error(raised) end) })
    for _, wrong in ipairs({ {}, { {} }, { "x", {} }, { "x", "x", {} } }) do
      local _, err = pcall(load, table.unpack(wrong))
      assert.matches("bad argument #" .. math.max(#wrong, 1) .. " to ", err, 1, true)
    end
  end)

  it("is loaded from files as Lua does, and what a file does may wait", function()
    local path, _ <close> = file_of("local name, file = ... require('neap').sleep(1) return name, file")
    assert.are.same({ "a", "b" }, { loadfile(path)("a", "b") })
    assert.are.same({}, { dofile(path) })
    local chunk, why = loadfile("/no/such")
    assert.is_nil(chunk)
    assert.matches("cannot open /no/such", why, 1, true)
  end)

  it("is found by require as Lua does", function()
    local path, _ <close> = file_of("return { name = ... }")
    local ok, module = require_file(path)
    assert.is_true(ok)
    assert.are.equal("spec_module", module.name)

    local why
    ok, why = require_file("/no/?.lua")
    assert.is_false(ok)
    assert.matches("no file '/no/spec_module.lua'", why, 1, true)

    local broken, _ <close> = file_of("return (")
    ok, why = require_file(broken)
    assert.is_false(ok)
    assert.matches("error loading module 'spec_module' from file '" .. broken .. "':\n\t" .. broken .. ":1: ", why,
      1, true)
  end)
end)
