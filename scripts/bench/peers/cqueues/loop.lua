--- Run the given functions as tasks of one cqueues controller until all have ended.

local cqueues = require("cqueues")

---@param ... fun()
return function(...)
  local controller = cqueues.new()
  for _, body in ipairs { ... } do controller:wrap(body) end
  assert(controller:loop())
end
