-- In the binary itself, as a child, on the clock of the machine: what is over leaves no
-- memory behind, neither Lua's nor the host's.

local binary = require("spec.neap.binary")

-- `round(n)` runs for half of `count`, so that what is kept to be used again is there, and
-- then for `count`. Prints kilobytes before and after: of Lua, and resident ones.
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
  round(count // 2)
  local lua, resident = kilobytes()
  round(count + 0)
  print(lua, (kilobytes()))
  print(resident, (select(2, kilobytes())))
end
]]

-- `script` calls `measure`. What was freed counts as free also to a sanitizer.
local function check(count, script)
  binary.write("script.lua", MEASURE .. script)
  local output = binary.shell(("ASAN_OPTIONS=quarantine_size_mb=0 '%s' run '%s' %d 2>&1"):format(
    binary.NEAP, binary.path("script.lua"), count))
  local lua, lua_after, resident, resident_after = output:match("(%S+)\t(%S+)\n(%S+)\t(%S+)\n")
  assert(lua, output)
  assert.is_true(tonumber(lua_after) < lua * 1.05, ("Lua: from %s to %s kB"):format(lua, lua_after))
  -- How an allocator cuts its pages differs by some of them.
  assert.is_true(tonumber(resident_after) < resident * 1.05 + 256,
    ("resident: from %s to %s kB"):format(resident, resident_after))
end

describe("no memory is left behind by", function()
  before_each(binary.open_folder)
  after_each(binary.remove_folder)

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
    check(4, [[
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
