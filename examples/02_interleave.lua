--- Two tasks take turns: one prints 1, 3, 5, the other 2, 4, 6.
--- A task runs until it waits. `neap.yield` waits for its next turn only; a task that
--- sleeps lets the other one run ahead.

local neap = require("neap")

local function count(from, pause, ...)
  for n = from, 6, 2 do
    if n > from then pause(...) end
    print(n)
  end
end

-- Between its numbers the second task calls `pause(...)`.
local function interleave(pause, ...)
  local s <close> = neap.scope()
  s:spawn(count, 1, neap.yield)
  s:spawn(count, 2, pause, ...)
  print("after spawning")
end -- here the scope waits for both

neap.main(function()
  interleave(neap.yield)
  interleave(neap.sleep, "1s")
end)

return { interleave = interleave }
