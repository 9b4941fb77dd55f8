-- A request for memory that is refused, at the places where an undo could be lost by it or
-- run twice. All others: spec/oom/saga.lua.

local neap = require("neap")
local scopes = require("neap.core.scope")
local steps = require("neap.step")
local time = require("neap.core.time")

-- From now on the `n`th call of `owner[name]` finds no memory; with `late`, for what comes
-- after it has done its work.
local function refuse(owner, name, n, late)
  local fn, calls = owner[name], 0
  owner[name] = function(...)
    calls = calls + 1
    if calls < n then return fn(...) end
    owner[name] = fn
    if late then fn(...) end
    error("not enough memory", 0)
  end
end

-- Run a saga with these steps, each with `undo(cx)`, that ends by an error; what that is.
local function failing_saga(names, undo, within)
  local ok, err = pcall(neap.saga, { undo_retry = { base = "1s", jitter = "none" } }, function()
    for _, name in ipairs(names) do
      neap.step(name, { run = function() end, undo = function(cx) undo(name, cx) end })
    end
    if within then within() end
    error("the end", 0)
  end)
  assert.is_false(ok)
  return err
end

describe("lack of memory in a saga", function()
  it("costs no undo that waits for its next attempt", function()
    local attempts = {}
    local err = failing_saga({ "one" }, function(_, cx)
      attempts[#attempts + 1] = cx.attempt
      if cx.attempt == 1 then
        refuse(time, "sleep", 1)
        error("not now", 0)
      end
    end)
    assert.are.equal("the end", err)
    assert.are.same({ 1, 2 }, attempts)
  end)

  it("changes neither the key nor the count of an undo's attempts", function()
    local keys, attempts = {}, {}
    failing_saga({ "one" }, function(_, cx)
      keys[#keys + 1], attempts[#attempts + 1] = cx.key, cx.attempt
      if cx.attempt < 3 then
        refuse(time, "sleep", 1)
        error("not now", 0)
      end
    end)
    assert.are.same({ 1, 2, 3 }, attempts)
    assert.are.same({ keys[1], keys[1], keys[1] }, keys)
  end)

  it("runs no undo again that has returned", function()
    local undone = {}
    local err = failing_saga({ "one", "two" }, function(name) undone[#undone + 1] = name end,
      function() refuse(scopes, "timeout", 1, true) end)
    assert.are.equal("the end", err)
    assert.are.same({ "two", "one" }, undone)
  end)

  it("is no attempt of an undo that it kept from beginning", function()
    local attempts = {}
    failing_saga({ "one" }, function(_, cx) attempts[#attempts + 1] = cx.attempt end,
      function() refuse(scopes, "timeout", 1) end)
    assert.are.same({ 1 }, attempts)
  end)

  it("keeps a step from beginning, and then nothing of it is undone", function()
    local acts = {}
    local ok, err = pcall(neap.saga, function()
      neap.step("one", { run = function() end, undo = function() acts[#acts + 1] = "undo one" end })
      refuse(steps, "context", 1)
      neap.step("two", {
        run = function() acts[#acts + 1] = "two" end,
        undo = function() acts[#acts + 1] = "undo two" end,
      })
    end)
    assert.are.same({ false, "not enough memory" }, { ok, err })
    assert.are.same({ "undo one" }, acts)
  end)

  it("does not keep tasks from being undone whose scope failed by it", function()
    local undone = {}
    failing_saga({}, nil, function()
      neap.scope(function(s)
        for _, name in ipairs({ "a", "b", "c" }) do
          s:spawn(neap.step, name, {
            run = function() end,
            undo = function()
              neap.sleep("10ms")
              undone[#undone + 1] = name
            end,
          })
        end
      end)
      refuse(scopes.methods, "spawn", 3)    -- of the tasks that undo
    end)
    table.sort(undone)
    assert.are.same({ "a", "b", "c" }, undone)
  end)
end)
