-- In the binary itself, as a child, on the clock of the machine: what is over leaves no
-- memory behind, neither Lua's nor the host's.

local popen = require("neap").raw.io.popen

local function shell(command)
  local pipe = assert(popen(command))
  local output = pipe:read("a")
  pipe:close()
  return output
end

-- The shell's parent is this process.
local NEAP = shell("readlink /proc/$PPID/exe"):gsub("%s+$", "")

-- `round(n)` runs a tenth of `count` times, so that what is kept to be used again is there,
-- and then `count` times. Prints kilobytes before and after: of Lua, and resident ones.
local MEASURE = [[
local neap = require("neap")
local function kilobytes()
  collectgarbage()
  collectgarbage()
  local resident = io.open("/proc/self/status"):read("a"):match("VmRSS:%s+(%d+)")
  return collectgarbage("count"), tonumber(resident)
end
local count = ...
local function measure(round)
  round(count // 10)
  local lua, resident = kilobytes()
  round(count + 0)
  print(lua, (kilobytes()))
  print(resident, (select(2, kilobytes())))
end
]]

-- `script` calls `measure`. What was freed counts as free also to a sanitizer.
local function check(count, script)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(MEASURE, script)):close()
  local output = shell(("ASAN_OPTIONS=quarantine_size_mb=0 '%s' run '%s' %d 2>&1"):format(NEAP, path, count))
  os.remove(path)
  local lua, lua_after, resident, resident_after = output:match("(%S+)\t(%S+)\n(%S+)\t(%S+)\n")
  assert(lua, output)
  local function grown(before, after) return tonumber(after) / tonumber(before) end
  assert.is_true(grown(lua, lua_after) < 1.05, ("Lua: from %s to %s kB"):format(lua, lua_after))
  assert.is_true(grown(resident, resident_after) < 1.05,
    ("resident: from %s to %s kB"):format(resident, resident_after))
end

describe("no memory is left behind by", function()
  it("10,000 scopes, opened and left in either form", function()
    check(10000, [[
      measure(function(n)
        for _ = 1, n / 2 do
          neap.scope(function(s) s:spawn(neap.yield) end)
          do
            local s <close> = neap.scope()
            s:spawn({ guard = true }, error, "lost"):join()
          end
        end
      end)]])
  end)

  it("1,000,000 tasks, spawned and awaited", function()
    check(1000000, [[
      measure(function(n)
        for _ = 1, n // 1000 do
          neap.scope(function(s)
            for i = 1, 990 do s:spawn(math.abs, i) end
            for i = 1, 10 do s:spawn({ name = "named" }, math.abs, i):await() end
          end)
        end
      end)]])
  end)

  it("100,000 tasks, cancelled alone or with their scope wherever they wait", function()
    check(100000, [[
      local mutex, ch, event = neap.mutex(), neap.channel(), neap.event()
      measure(function(n)
        for _ = 1, n // 1000 do
          neap.scope(function(s)
            local locked <close> = mutex:lock()
            for _ = 1, 200 do
              s:spawn(neap.sleep, 100)
              s:spawn(ch.recv, ch)
              s:spawn(neap.timeout, 100, mutex.lock, mutex)
              s:spawn(neap.select, { ch:on_send(1), event:on_wait(), neap.after(100) })
              s:spawn(neap.scope, function(inner)
                inner:spawn(event.wait, event):cancel()
                event:wait()
              end):cancel()
            end
            neap.yield()
            s:cancel()
          end)
        end
      end)]])
  end)

  it("50,000 tasks that sleep at the same time, which a second crowd of them follows", function()
    check(20, [[
      measure(function(n)
        for _ = 1, n / 2 do
          neap.scope(function(s)
            for _ = 1, 50000 do s:spawn(neap.sleep, "1ms") end
          end)
          collectgarbage()
        end
      end)]])
  end)
end)
