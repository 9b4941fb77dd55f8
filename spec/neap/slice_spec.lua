-- What a task that holds the loop meets: a report, deadlines, cancellations. Scripts run
-- as children, since a slice is measured in real time and reported to standard error.

local neap = require("neap")
local fs = require("neap.fs")
local process = require("neap.process")
local test = require("neap.test")

local NEAP = "/proc/self/exe"

describe("a slice that is too long", function()
  local function run(text)
    local folder <close> = fs.temp_dir()
    fs.write(folder.path .. "/busy.lua", 'local neap = require("neap")\n' .. text)
    return process.run({ NEAP, "run", "busy.lua", cwd = folder.path })
  end

  it("is reported once for each place, by task and time", function()
    local err = run([[
neap.scope(function(s)
  for _ = 1, 2 do
    s:spawn({ name = "adder" }, function()
      for _ = 1, 4e7 do end
    end)
  end
end)]]).stderr
    local ms = err:match("^neap: adder held the loop for (%d+) ms at busy.lua:5; "
      .. "call neap.yield%(%) in a long loop, or use neap.work\n$")
    assert.is_truthy(ms, err)
    assert.is_true(tonumber(ms) > 50)
  end)

  it("names the C function that held the loop, and what does not", function()
    local err = run([[
os.execute("sleep 0.15")
neap.yield()]]).stderr
    assert.is_truthy(err:find("at busy.lua:2 in execute; neap.process does not block", 1, true), err)
  end)

  it("is reported at the script's line that called the library", function()
    local err = run([[
local blank = ("\n"):rep(1000000) neap.yield()
for _ in neap.json.lines(blank) do end
neap.yield()]]).stderr
    assert.is_truthy(err:find("at busy.lua:3; ", 1, true), err)
  end)

  it("is no concern below 50 ms", function()
    assert.are.equal("", run([[
local from = neap.monotonic()
while neap.monotonic() < from + 0.02 do end
neap.yield()]]).stderr)
  end)

  it("is no concern when others had the processor", function()
    -- Two loops on one processor, each with half of it: 35 ms of computing take 70 ms.
    local allowed = io.open("/proc/self/status"):read("a"):match("Cpus_allowed_list:%s*(%d+)")
    local function compute(ms)
      return run(([[
local process = require("neap.process")
local cpu = "%s"
local rival <close> = process.spawn({ "taskset", "-c", cpu, "sh", "-c", "while :; do :; done" })
local pid = io.open("/proc/self/stat"):read("n")
process.run({ "taskset", "-a", "-p", "-c", cpu, tostring(pid), stdout = false, check = true })
neap.sleep("50ms")
local from, began = os.clock(), neap.monotonic()
while os.clock() < from + %d / 1000 do end
print(neap.monotonic() - began > 0.05)
neap.yield()]]):format(allowed, ms))
    end
    local result = compute(35)
    assert.are.equal("true\n", result.stdout)
    assert.is_nil(result.stderr:find("at busy.lua:9;", 1, true), result.stderr)
    result = compute(200)
    assert.is_truthy(result.stderr:find("at busy.lua:9;", 1, true), result.stderr)
  end)

  it("ends at the deadline that holds in it", function()
    test.real_time(function()
      local from = neap.monotonic()
      local ok, err = pcall(neap.timeout, "200ms", function() while true do end end)
      local took = neap.monotonic() - from
      assert.are.same({ false, "timeout" }, { ok, err.kind })
      assert.is_true(took >= 0.2 and took < 0.7, took)
    end)
  end)

  it("ends when it began in a scope that was cancelled", function()
    test.real_time(function()
      local from = neap.monotonic()
      local result, why = neap.scope(function(s)
        s:cancel()
        while true do end
      end)
      assert.are.equal("cancelled", why)
      assert.is_nil(result)
      assert.is_true(neap.monotonic() - from < 1)
    end)
  end)

  it("is not saved by protected calls", function()
    test.real_time(function()
      local ok, err = pcall(neap.timeout, "100ms", function()
        while true do
          pcall(function() while true do end end)
          xpcall(function() while true do end end, function() end)
        end
      end)
      assert.are.same({ false, "timeout" }, { ok, err.kind })
    end)
  end)

  it("closes what it had open on its way out", function()
    test.real_time(function()
      local closed = false
      pcall(neap.timeout, "100ms", function()
        local _ <close> = neap.defer(function() closed = true end)
        while true do end
      end)
      assert.is_true(closed)
    end)
  end)

  it("meets only the shield's own deadline under a shield", function()
    test.real_time(function()
      local from, ended = neap.monotonic(), nil
      pcall(neap.timeout, "60ms", function()
        neap.shield("10s", function()
          while neap.monotonic() < from + 0.15 do end
          ended = neap.monotonic() - from
        end)
      end)
      assert.is_true(ended and ended >= 0.15)
      local ok, err = pcall(neap.shield, "100ms", function() while true do end end)
      assert.are.same({ false, "timeout" }, { ok, err.kind })
    end)
  end)

  it("gives way to an outer deadline that passed before the shield's", function()
    test.real_time(function()
      assert.are.same({ nil, "timeout" }, { neap.timeout_or("60ms", neap.shield, "120ms", function()
        while true do end
      end) })
    end)
  end)

  it("ends inside a coroutine of the script's own", function()
    test.real_time(function()
      local ok, err = pcall(neap.timeout, "100ms", coroutine.wrap(function() while true do end end))
      assert.are.same({ false, "timeout" }, { ok, err.kind })
    end)
  end)

  it("leaves no hook behind", function()
    test.real_time(function()
      pcall(neap.timeout, "80ms", function() while true do end end)
      assert.is_nil(debug.gethook())
    end)
  end)
end)
