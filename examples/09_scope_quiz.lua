--- Where does an error go? A child fails after 100 ms; what do these functions return?
---
--- A failure belongs to the scope, not to whoever awaits the task: nobody can catch it on
--- the way and believe it handled while the scope falls. Protect the scope, or guard the
--- task.

local neap = require("neap")

local function child()
  neap.sleep("100ms")
  error("out of stock", 0)
end

-- 1: raises "out of stock". The scope has failed, and `await` raises that it was
-- cancelled, which no `pcall` catches.
local function await_protected()
  return neap.scope(function(s)
    local task = s:spawn(child)
    local ok, value = pcall(task.await, task)
    return ok and value or "default" -- never gets here
  end)
end

-- 2: "default". The protected call is around the scope.
local function scope_protected()
  local ok, value = pcall(neap.scope, function(s)
    return s:spawn(child):await()
  end)
  return ok and value or "default"
end

-- 3: "default". The failure of a guarded task belongs to whoever awaits it; the scope goes on.
local function task_guarded()
  return neap.scope(function(s)
    local ok, value = s:spawn({ guard = true }, child):outcome()
    return ok and value or "default"
  end)
end

-- What `await` raised in 1: it says what to do. Only the original `pcall` can look at it.
local function hint()
  local message
  pcall(neap.scope, function(s)
    local task = s:spawn(child)
    local _, cancellation = neap.raw.pcall(task.await, task)
    message = cancellation.message
  end)
  return message
end

neap.main(function()
  print("1", pcall(await_protected))
  print("2", pcall(scope_protected))
  print("3", pcall(task_guarded))
  print("the hint in 1: " .. hint())
end)

return {
  await_protected = await_protected,
  scope_protected = scope_protected,
  task_guarded = task_guarded,
  hint = hint,
}
