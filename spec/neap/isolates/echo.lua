--- A module for specs: sends back what it gets; some words make it do something else.
local neap = require("neap")

local words = {}

function words.fail() error(neap.error("mine", "it failed", { data = { 1 } })) end

-- Says so, and then nothing but an interruption ends it.
function words.busy(ch)
  ch:send("busy")
  while true do t = {} end -- luacheck: ignore 111
end

function words.hang() neap.event():wait() end

-- Fails when it is cancelled.
function words.late(ch)
  local _ <close> = neap.defer(function() error(neap.error("mine", "its cleanup failed")) end)
  ch:send("late")
  neap.sleep("1h")
end

-- Fails when its channel is closed.
function words.afterwards(ch)
  ch:send("waits")
  repeat until ch:is_closed()
  error(neap.error("mine", "it failed at last"))
end

function words.pour(ch)
  while true do ch:send("more") end
end

function words.id(ch) ch:send(tostring(neap):match("0x.*") or tostring(words)) end

function words.flood(ch)
  local sent = 0
  while ch:try_send(sent + 1) do sent = sent + 1 end
  ch:send(sent)
end

function words.tasks(ch)
  neap.scope(function(s)
    for i = 1, 3 do
      s:spawn(function()
        neap.sleep(i * 0.001)
        ch:send(i)
      end)
    end
  end)
end

return function(ch)
  for first, second in ch do
    if first == "bye" then return end
    if words[first] then
      words[first](ch)
    else
      ch:send(first, second)
    end
  end
end
