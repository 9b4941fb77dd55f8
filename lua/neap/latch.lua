--- A gate that opens once, when a count has come down to zero, and stays open.

local core = require("neap.core.latch")

---@class neap.Latch: neap.core.Latch

local latch = {}

--- Create a latch.
---@param count integer  At least 0; at 0 it is open.
---@return neap.Latch
---@nodiscard
function latch.new(count)
  return core.new(count)
end

return latch
