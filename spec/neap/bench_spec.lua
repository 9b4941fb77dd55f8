--- The benchmarks' own promises: what a run prints, and that the workloads do their work. Nothing here
--- looks at how fast they are.

local json = require("neap.json")

-- Run a workload with the binary that runs this spec; $PPID is this process as its shell sees it.
local function run(arguments)
  local pipe = assert(io.popen("NEAP=/proc/$PPID/exe scripts/bench/run " .. arguments .. " 2>&1"))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  local _, _, status = pipe:close()
  return lines, status
end

describe("scripts/bench/run", function()
  it("prints one JSON line with every key for each run", function()
    local lines, status = run("W5 1000")

    assert.are.equal(0, status)
    assert.are.equal(5, #lines)
    for _, line in ipairs(lines) do
      local result = json.decode(line)
      assert.are.equal("W5", result.workload)
      assert.are.equal(1000, result.n)
      for _, key in ipairs { "seconds", "ops_per_s", "max_rss_kb", "floor_ops_per_s" } do
        assert.is_true(type(result[key]) == "number" and result[key] > 0, key)
      end
      assert.are.near(result.n / result.seconds, result.ops_per_s, result.ops_per_s * 0.01)
    end
  end)

  for _, name in ipairs { "W1", "W3", "W4", "W6", "W7", "W8" } do
    it("finds the work of " .. name .. " done, at a size that no round divides", function()
      local lines, status = run(name .. " 1234")

      assert.are.equal(0, status, lines[1])
      assert.are.equal(1234, json.decode(lines[1]).n)
    end)
  end

  it("refuses a workload that does not exist, and a size that is none", function()
    local lines, status = run("W99")
    assert.are.equal(2, status)
    assert.matches("^usage: ", lines[1])

    lines, status = run("W5 many")
    assert.are.equal(1, status)
    assert.matches("size: a whole number of at least 1, not many", lines[1], 1, true)
  end)
end)
