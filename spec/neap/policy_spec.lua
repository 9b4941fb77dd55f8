local neap = require("neap")
local test = require("neap.test")

local function after(d, value)
  return function()
    neap.sleep(d)
    return value
  end
end

local function fails(d, err)
  return function()
    neap.sleep(d)
    error(err, 0)
  end
end

describe("the policy of a scope", function()
  it("is told of each task that returned or raised, as they end, and of no cancelled one", function()
    local heard = {}
    local policy = { on_done = function(task) heard[#heard + 1] = task.name .. " " .. task:status() end }
    neap.scope({ policy = policy }, function(s)
      s:spawn({ name = "slow" }, after("2s"))
      s:spawn({ name = "bad" }, fails("1s", "no"))
      local stopped = s:spawn({ name = "stopped" }, after("1h"))
      neap.yield()
      stopped:cancel()
    end)
    assert.are.same({ "bad failed", "slow done" }, heard)
  end)

  it("is told of what s:start started as of any other: what its function gave", function()
    local heard = {}
    local policy = { on_done = function(task) heard[#heard + 1] = table.pack(task:result()) end }
    neap.scope({ policy = policy }, function(s)
      s:start(function(ready)
        ready(1)
        return "a", nil
      end)
      pcall(s.start, s, function() error("no port", 0) end)
    end)
    assert.are.same({ { n = 3, true, "a" }, { n = 2, false, "no port" } }, heard)
  end)

  it("ends the scope when on_done returns true: the rest is cancelled", function()
    local rest
    neap.scope({ policy = { on_done = function() return true end } }, function(s)
      s:spawn(after("1s"))
      rest = s:spawn(after("1h"))
      neap.sleep("1h")
    end)
    assert.are.equal(1, test.elapsed())
    assert.are.equal("cancelled", rest:status())
  end)

  it("keeps a failure of a task from failing the scope", function()
    assert.are.equal("fine", neap.scope({ policy = { result = function() return "fine" end } }, function(s)
      s:spawn(fails("1s", "no"))
    end))
  end)

  it("fails the scope by what on_done raises", function()
    local rest
    local ok, err = pcall(neap.scope, { policy = { on_done = function() error("enough", 0) end } }, function(s)
      s:spawn(fails("1s", "no"))
      rest = s:spawn(after("1h"))
    end)
    assert.are.same({ false, "enough" }, { ok, err })
    assert.are.equal("cancelled", rest:status())
  end)

  it("says what the function form returns, any number of values", function()
    local policy = { result = function() return 1, nil, 3 end }
    assert.are.same({ 1, nil, 3, n = 3 }, table.pack(neap.scope({ policy = policy }, function() return "body" end)))
  end)

  it("says what s:result() returns in the block form", function()
    local s <close> = neap.scope { policy = { result = function() return "so far" end } }
    assert.are.equal("so far", s:result())
  end)

  it("gives what on_timeout returns when the deadline passes", function()
    local policy = { on_timeout = function() return "too late", 2 end, result = function() return "never" end }
    assert.are.same({ "too late", 2 }, { neap.scope({ policy = policy, deadline = "1s" }, function(s)
      s:spawn(after("1h"))
    end) })
    assert.are.equal(1, test.elapsed())
  end)

  it("has no say when the deadline passes and something failed", function()
    local policy = { on_timeout = function() return "partial" end }
    assert.has_error(function()
      neap.scope({ policy = policy, deadline = "1s" }, function()
        local _ <close> = neap.defer(error, "cannot clean up", 0)
        neap.sleep("1h")
      end)
    end, "cannot clean up")
    policy.on_done = function() error("not accepted", 0) end
    assert.has_error(function()
      neap.scope({ policy = policy, deadline = "1s" }, function(s)
        s:spawn(function()
          local _ <close> = neap.defer(error, "late", 0)
          neap.sleep("1h")
        end)
      end)
    end, "not accepted")
  end)

  it("cannot give a block that was cut a result: that raises the timeout", function()
    local asked = 0
    local policy = { on_timeout = function() asked = asked + 1 return "partial" end }
    local ok, err = pcall(function()
      local _ <close> = neap.scope({ policy = policy, deadline = "1s" })
      neap.sleep("1h")
    end)
    assert.is_false(ok)
    assert.are.equal("timeout", err.kind)
    local s = neap.scope({ policy = policy, deadline = "1s" })
    s:spawn(after("1h"))
    assert.are.equal("partial", s:close())
    assert.are.equal(2, asked)
  end)

  it("raises what on_timeout raises", function()
    local policy = { on_timeout = function() error("nothing came", 0) end }
    assert.has_error(function()
      neap.scope({ policy = policy, deadline = "1s" }, function(s) s:spawn(after("1h")) end)
    end, "nothing came")
  end)

  it("has no say when the scope is cancelled from outside", function()
    local asked = false
    local policy = { result = function() asked = true end, on_timeout = function() asked = true end }
    assert.are.same({ nil, "timeout" }, { neap.timeout_or("1s", neap.scope, { policy = policy }, function(s)
      s:spawn(after("1h"))
    end) })
    assert.is_false(asked)
  end)

  it("cannot wait in on_done: that raises usage, and fails the scope", function()
    local ok, err = pcall(neap.scope, { policy = { on_done = function() neap.sleep("1s") end } }, function(s)
      s:spawn(function() end)
    end)
    assert.is_false(ok)
    assert.are.equal("usage", err.kind)
    assert.are.equal(0, test.elapsed())
  end)

  it("is refused with a function that nobody would call, or without any", function()
    local function message(policy)
      local ok, err = pcall(neap.scope, { policy = policy }, function() end)
      assert.is_false(ok)
      assert.are.equal("usage", err.kind)
      return (err.message:gsub("^.-: ", "", 1))
    end
    local function f() end
    assert.are.equal('neap.scope: policy: unknown function "on_don"; did you mean "on_done"?', message({ on_don = f }))
    assert.are.equal('neap.scope: policy: unknown function "failed"', message({ on_done = f, failed = f }))
    assert.are.equal("neap.scope: policy: on_timeout: function expected, got string", message({ on_timeout = "1s" }))
    assert.are.equal("neap.scope: policy: it has neither on_done nor result nor on_timeout", message({}))
    assert.are.equal("neap.scope: policy: it has neither on_done nor result nor on_timeout",
      message(setmetatable({}, { __index = { on_don = f } })))
  end)

  it("may be an object, and keep what it likes", function()
    local First = {}
    First.__index = First
    function First.helper() end
    local policy = setmetatable({ results = {}, show = print }, First)
    function First.on_done(task)
      policy.results[1] = select(2, task:result())
      return true
    end
    First.result = setmetatable({}, { __call = function() return policy.results[1] end })
    assert.are.equal("quick", neap.scope({ policy = policy }, function(s)
      s:spawn(after("1s", "quick"))
      s:spawn(after("2s", "slow"))
    end))
    assert.are.equal(1, neap.scope({ policy = { results = { 1 }, result = function() return 1 end } }, function() end))
  end)

  it("is refused unless it is a table", function()
    local ok, err = pcall(neap.scope, { policy = "any" }, function() end)
    assert.is_false(ok)
    assert.are.equal("usage", err.kind)
    assert.matches("neap.scope: policy: table expected, got string", err.message, 1, true)
  end)
end)
