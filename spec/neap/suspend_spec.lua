-- Where Lua cannot suspend: the message names what stands in the way.

local neap = require("neap")

describe("suspending where Lua cannot", function()
  local function wait() neap.sleep("1ms") end

  local function refused(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    assert.are.equal("usage", err.kind)
    return err.message
  end

  local function check(name, fn)
    local message = refused(fn)
    assert.matches("^[^:]*suspend_spec.lua:%d+: neap.sleep: cannot suspend inside " .. name
      .. ", called at [^:]*suspend_spec.lua:%d+: it is a C function that has to return first$", message)
  end

  it("names the function of Lua's that called back", function()
    check("table%.sort", function() table.sort({ 2, 1 }, wait) end)
    check("string%.gsub", function() return (("x"):gsub("x", wait)) end)
    check("tostring", function() tostring(setmetatable({}, { __tostring = wait })) end)
  end)

  it("names it from inside a coroutine, however deep, that was resumed there", function()
    check("table%.sort", function() table.sort({ 2, 1 }, coroutine.wrap(wait)) end)
    check("string%.gsub", function()
      return (("x"):gsub("x", function()
        coroutine.wrap(function()
          local _, err = coroutine.resume(coroutine.create(wait))
          error(err, 0)
        end)()
      end))
    end)
    check("table%.sort", coroutine.wrap(function() table.sort({ 2, 1 }, coroutine.wrap(wait)) end))
  end)

  it("names the nearest, when there are several", function()
    check("string%.gsub", function()
      table.sort({ 2, 1 }, function() return (("x"):gsub("x", coroutine.wrap(wait))) end)
    end)
  end)

  it("names what the script has called, not what that is made of", function()
    neap.scope(function(s)
      local actor = s:actor { get = function() end }
      local calls = {
        ["neap.saga"] = function() neap.saga(print) end,
        ["scope:start"] = function() s:start(print) end,
        ["actor:ask"] = function() actor:ask("get") end,
        ["neap.suspend"] = function() neap.suspend(function() end) end,
        ["neap.isolates"] = function() return neap.isolates(1, "none") end,
      }
      for name, call in pairs(calls) do
        local message = refused(table.sort, { 2, 1 }, call)
        assert.is_truthy(message:find(": " .. name .. ": cannot suspend inside table.sort", 1, true), message)
      end
    end)
  end)

  it("is refused to who closes a scope there, too", function()
    local s = neap.scope()
    local message = refused(table.sort, { 2, 1 }, function() s:close() end)
    assert.is_truthy(message:find("scope:close: cannot suspend inside table.sort", 1, true), message)
    s:close()
  end)

  it("says so in a hook, where there is no function to name", function()
    local message
    debug.sethook(function()
      debug.sethook()
      message = refused(wait)
    end, "l")
    local _ = message
    assert.is_truthy(message:find("cannot suspend here, below a C function, in a hook or in a finaliser", 1, true))
  end)
end)
