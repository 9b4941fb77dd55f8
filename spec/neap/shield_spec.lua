local neap = require("neap")
local support = require("spec.neap.support")
local test = require("neap.test")

local raised, at_exit = support.raised, support.at_exit
local forever, cancelled_task = support.forever, support.cancelled_task

describe("neap.shield", function()
  it("lets cleanup suspend in a cancelled task", function()
    local task, log = cancelled_task(function(log)
      local _ <close> = at_exit(function()
        neap.shield("5s", function()
          neap.sleep(2)
          log[1] = "cleaned"
        end)
      end)
      forever()
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({ "cleaned" }, log)
    assert.are.equal(3, test.elapsed())
  end)

  it("returns what its function returns", function()
    assert.are.same({ 1, nil, 3 }, { neap.shield(1, function(...) return ... end, 1, nil, 3) })
  end)

  it("demands a deadline", function()
    for _, wrong in ipairs({ math.huge, "soon", {} }) do
      assert.are.equal("usage", raised(neap.shield, wrong, function() end).kind)
    end
    assert.are.equal("usage", raised(neap.shield, nil, function() end).kind)
    assert.are.equal("usage", raised(neap.shield, function() end).kind)
  end)

  it("raises at its end the cancellation that came meanwhile", function()
    local task, log = cancelled_task(function(log)
      neap.shield(5, function()
        neap.sleep(3)
        log[1] = "done"
      end)
      log[2] = "went on"
    end)
    assert.are.equal("cancelled", task:status())
    assert.are.same({ "done" }, log)
    assert.are.equal(3, test.elapsed())
  end)

  it("raises timeout when its own deadline ends it, and nobody is cancelled", function()
    local err = raised(neap.shield, 1, forever)
    assert.are.equal("timeout", err.kind)
    assert.are.equal(1, test.elapsed())
  end)

  it("raises the outer cancellation, if there is one, when its own deadline ends it", function()
    local task, log = cancelled_task(function(log)
      local ok, err = neap.raw.pcall(neap.shield, 3, forever)
      log[1] = { ok, err.kind, err.reason.kind }
    end)
    assert.are.same({ { false, "cancelled", "cancelled" } }, log)
    assert.are.equal("done", task:status())
    assert.are.equal(3, test.elapsed())
  end)

  it("passes an error of its function on", function()
    assert.are.equal("boom", raised(neap.shield, 1, error, "boom", 0))
  end)

  it("holds against deadlines outside, which pass afterwards", function()
    local log = {}
    local _, why = neap.timeout_or(1, function()
      neap.shield(5, function()
        neap.sleep(2)
        log[1] = "done"
      end)
      log[2] = "went on"
    end)
    assert.are.equal("timeout", why)
    assert.are.same({ "done" }, log)
    assert.are.equal(2, test.elapsed())
  end)

  it("holds for a scope inside of it, and its tasks", function()
    local _, log = cancelled_task(function(log)
      neap.shield(9, function()
        neap.scope(function(s)
          s:spawn(function()
            neap.sleep(3)
            log[1] = "inner"
          end)
        end)
      end)
    end)
    assert.are.same({ "inner" }, log)
  end)

  it("can itself be inside another, whose deadline passes at its end", function()
    local err = raised(neap.shield, 1, function() neap.shield(5, neap.sleep, 3) end)
    assert.are.equal("timeout", err.kind)
    assert.are.equal(3, test.elapsed())
  end)
end)
