--- A meeting of a fixed number of tasks, round after round: none goes on before
--- all have come.

local core = require("neap.core.barrier")

---@class neap.Barrier: neap.core.Barrier

local barrier = {}

--- Create a barrier.
---@param parties integer  How many tasks meet; at least 1.
---@return neap.Barrier
---@nodiscard
function barrier.new(parties)
  return core.new(parties)
end

return barrier
