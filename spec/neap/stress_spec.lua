local neap = require("neap")
local stress = require("spec.neap.stress")
local test = require("neap.test")

-- Under `neap test --seed` each of these is one program, that of the seed.
describe("random programs", function()
  local function run() return stress.run(neap.random(1 << 40)) end

  it("lose, double and leave nothing, whatever they cancel", function()
    test.schedules(200, run)
  end)

  it("do the same again under the same seed", function()
    local first, second = {}, {}
    test.schedules(50, function() first[#first + 1] = run() end)
    test.schedules(50, function() second[#second + 1] = run() end)
    for i, trace in ipairs(first) do assert.are.equal(trace, second[i]) end
  end)
end)
