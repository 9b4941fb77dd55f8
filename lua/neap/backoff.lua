--- Whether to try again, and how long to wait before.
--- Delays grow by a factor up to a bound. With full jitter each is drawn anew between
--- nothing and that, so that those who failed together do not come back together.
---@package

local errors = require("neap.core.error")
local text = require("neap.core.text")
local time = require("neap.core.time")

---@class neap.Backoff
---@field base number  Seconds before the second attempt.
---@field factor number
---@field max number  Seconds; no delay is longer.
---@field jitter "full"|"none"

local backoff = {}

local JITTERS = { full = true, none = true }

--- Take `base`, `factor`, `max` and `jitter` out of options, and check them.
---@param what string  Whose options: begins the message of an error.
---@param opts table
---@param defaults neap.Backoff
---@return neap.Backoff
function backoff.new(what, opts, defaults)
  local policy = {
    base = text.duration(opts.base or defaults.base, what .. ": base"),
    factor = opts.factor or defaults.factor,
    max = text.duration(opts.max or defaults.max, what .. ": max"),
    jitter = opts.jitter or defaults.jitter,
  }
  if type(policy.factor) ~= "number" or policy.factor < 1 or policy.factor ~= policy.factor then
    errors.usage(("%s: factor: a number from 1 expected, got %s")
      :format(what, tostring(policy.factor)))
  elseif not JITTERS[policy.jitter] then
    errors.usage(('%s: jitter: "full" or "none" expected, got %s')
      :format(what, tostring(policy.jitter)))
  end
  return policy
end

-- What the same call would meet again: mistakes in the code.
local BUGS = { "usage", "structure", "deadlock" }

--- Can another attempt mend it, if nobody says otherwise? Not a mistake in the code.
---@param err any
---@return boolean
function backoff.can_mend(err)
  for _, kind in ipairs(BUGS) do
    if errors.is(err, kind) then return false end
  end
  return true
end

--- The delay after the `failures`th failure in a row.
---@param policy neap.Backoff
---@param failures integer  From 1.
---@return number seconds
function backoff.delay(policy, failures)
  if policy.base == 0 then return 0 end     -- times a power that may be infinite
  local delay = math.min(policy.base * policy.factor ^ (failures - 1), policy.max)
  return policy.jitter == "full" and delay * time.random() or delay
end

return backoff
