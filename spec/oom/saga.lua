--- Sagas of every shape, each of whose steps is undone once or not at all: what has to hold
--- also when a request for memory is refused, whichever it is (scripts/oom). Exits with
--- status 3 and a sentence when an undo was lost, or ran twice.

local neap = require("neap")
require("neap.core.test").begin()

-- Made before any saga begins: noting an act needs no memory.
---@type table<string, { acted: integer, undone: integer }>
local ledger = {}
local shapes = {}

local function step(name, seconds, fail, undo_fails)
  local entry = ledger[name]
  return neap.step(name, {
    run = function()
      neap.sleep(seconds)
      entry.acted = entry.acted + 1
      if fail and fail(entry) then error("no answer", 0) end
      neap.sleep(seconds)
      return name
    end,
    undo = function(cx, result, outcome)
      assert(outcome == "unknown" or result == name)
      neap.sleep(seconds)
      if undo_fails and cx.attempt == 1 then error("not now", 0) end
      entry.undone = entry.undone + 1
    end,
    retry = { attempts = 3, base = "10ms" },
    undo_retry = { base = "10ms" },
  })
end

local function shape(name, steps, ends, fn)
  shapes[#shapes + 1] = { name = name, ends = ends, fn = fn, steps = steps }
  for _, each in ipairs(steps) do ledger[each] = { acted = 0, undone = 0 } end
end

local function always() return true end

shape("that ends well", { "a1", "a2" }, "well", function()
  step("a1", 0.01)
  step("a2", 0.01, function(entry) return entry.acted == 1 end)
end)

shape("that is rejected", { "b1", "b2", "b3" }, "badly", function()
  step("b1", 0.01)
  step("b2", 0.01, nil, true)
  step("b3", 0, nil)
  neap.reject("no")
end)

shape("whose last step fails", { "c1", "c2" }, "badly", function()
  step("c1", 0.01)
  step("c2", 0.01, always)
end)

shape("with tasks side by side", { "d1", "d2", "d3", "d4" }, "badly", function()
  step("d1", 0)
  neap.scope(function(s)
    s:spawn(step, "d2", 0.01)
    s:spawn(step, "d3", 0.02, nil, true)
  end)
  neap.scope(function(s)
    s:spawn(step, "d4", 0.05)
    neap.sleep(0.06)
    error("the body fails", 0)
  end)
end)

shape("with another one inside", { "e1", "e2", "e3" }, "badly", function()
  step("e1", 0.01)
  neap.saga(function()
    step("e2", 0.01)
    step("e3", 0.01)
  end)
  error("afterwards", 0)
end)

shape("that a deadline cuts off", { "f1", "f2" }, "badly", function()
  neap.timeout(0.05, function()
    step("f1", 0.01)
    step("f2", 0.02)
  end)
end)

shape("that fails while a task outside still runs", { "g1", "g2" }, "badly", function(outside)
  step("g1", 0.01)
  outside:spawn(pcall, step, "g2", 0.03)
  neap.sleep(0.02)
  neap.reject("no")
end)

shape("that is past its pivot", { "h1", "h2" }, "forward", function()
  step("h1", 0.01)
  neap.pivot()
  step("h2", 0.01)
end)

-- What is wrong after `ok`, which says whether the saga ended without an error, or nil.
local function problem_of(name, ends, ok)
  local entry = ledger[name]
  if entry.undone > 1 then return "undone twice" end
  if ok and entry.undone > 0 then return "undone, though its saga ended well" end
  if ok and entry.acted == 0 then return "never run, though its saga ended well" end
  if not ok and ends ~= "forward" and entry.acted > 0 and entry.undone == 0 then return "not undone" end
  return nil
end

neap.main(function()
  local outcomes = {}
  for i = 1, #shapes do outcomes[i] = "not run" end
  local failed
  neap.scope(function(outside)
    for i, each in ipairs(shapes) do
      outcomes[i] = "failed"
      local ok, err = pcall(neap.saga, each.fn, outside)
      if ok then outcomes[i] = "ended well" end
      if not ok and tostring(err):find("not enough memory") then failed = err end
      if ok ~= (each.ends ~= "badly") and not failed then failed = err or each.name .. " ended well" end
    end
  end)
  for i, each in ipairs(shapes) do
    for _, name in ipairs(each.steps) do
      local problem = problem_of(name, each.ends, outcomes[i] == "ended well")
      if problem then
        io.stderr:write(("%s, of a saga %s (%s): %s\n"):format(name, each.name, outcomes[i], problem))
        neap.exit(3)
      end
    end
  end
  if failed then error(failed, 0) end
end)
