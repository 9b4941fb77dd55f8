--- Virtual time and seeded schedules, for specs that `neap test` runs.
---
--- In a spec the clock stands while anything can run. When every task waits, it jumps to
--- the next timer: sleeps cost nothing, and times are exact. While a request, a job of
--- `neap.work` or a child process is under way it runs with the clock of the machine.

local core = require("neap.core.test")
local errors = require("neap.core.error")
local scope = require("neap.core.scope")
local time = require("neap.core.time")

local test = {}

-- The seed of `neap test --seed N`, or nil. Set by the runner.
test.seed = nil

--- Let virtual time pass: every timer due until then runs, also those at its very end.
---@async
---@param d neap.Duration
function test.advance(d)
  time.sleep(d)
  core.run_until_idle()
end

--- How much time has passed in this spec.
---@return number seconds
---@nodiscard
function test.elapsed()
  return core.elapsed()
end

--- Let all other tasks run until none can go on without time passing. The clock stands.
---@async
function test.run_until_idle()
  core.run_until_idle()
end

local RealTime = {
  __close = function(self) core.real(self.before) end,
}

--- Call `fn(...)` in real time: all clocks are the machine's, and sleeps take as long as
--- they say. Afterwards virtual time goes on where it stood.
--- By itself no checkpoint.
---@async
---@generic R
---@param fn async fun(...): R
---@param ... any  Passed to `fn`.
---@return R
function test.real_time(fn, ...)
  local _ <close> = setmetatable({ before = core.real(true) }, RealTime)
  return fn(...)
end

-- One run: time and chance begin anew, and tasks are run in the order of the seed.
local function run_seeded(seed, fn, ...)
  core.seed(seed, true)
  scope.open({ name = "schedule " .. seed }, function(_, ...) fn(...) end, ...)
end

local Fifo = {
  __close = function() core.seed(test.seed or 0, test.seed ~= nil) end,
}

--- Call `fn(...)` under `n` different orders of the tasks that are ready, each drawn from
--- a seed of its own, so that a fault that needs an unlucky order is found. The seed under
--- which it raised is printed; `neap test --seed N` repeats that run alone, exactly.
---@async
---@param n integer  How many; at least 1.
---@param fn async fun(...)
---@param ... any  Passed to `fn`.
function test.schedules(n, fn, ...)
  if math.type(n) ~= "integer" or n < 1 then
    errors.usage("neap.test.schedules: how many: whole number from 1 on expected, got " .. tostring(n))
  end
  local _ <close> = setmetatable({}, Fifo)
  for seed = test.seed or 1, test.seed or n do
    local ok, err = pcall(run_seeded, seed, fn, ...)
    if not ok then
      io.stdout:write(("failed under seed %d; to repeat it: neap test --seed %d\n"):format(seed, seed))
      error(err, 0)
    end
  end
end

return test
