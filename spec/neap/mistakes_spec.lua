--- The page `mistakes` of the manual is true: each example, run by the host, says what
--- stands below it.

local host = require("neap.core.host")
local test = require("neap.test")

-- Calls `each(title, code, message)` for every example of the page.
local function each_mistake(text, each)
  local title, code, message
  for line in (text .. "\n"):gmatch("(.-)\n") do
    title = line:match("^%*%*(.-)%*%*") or title
    if line == "```lua mistake" then
      code, message = {}, {}
    elseif code and line == "```" then
      each((title:gsub("[.`]*", "")), table.concat(code, "\n"), table.concat(message, " "))
      code = nil
    elseif code then
      local words = line:match("^%-%- +(.*)")
      table.insert(words and message or code, words or line)
    end
  end
end

local function squeeze(text)
  return (text:gsub("%s+", " "))
end

-- The message as a pattern: `...` stands for anything.
local function pattern(message)
  return (squeeze(message):gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".-"))
end

-- What the host says on standard error when it runs the example as order.lua.
local function run(code)
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. folder)
  local file <close> = assert(io.open(folder .. "/order.lua", "w"))
  file:write('local neap = require "neap" ', code, "\n")
  file:close()

  -- The parent of the shell is the host that runs this spec.
  local pipe <close> = io.popen(("neap=$(readlink /proc/$PPID/exe); cd %s && timeout 20 \"$neap\" run order.lua 2>&1 "
    .. ">/dev/null </dev/null; rm -r %s"):format(folder, folder))
  return pipe:read("a")
end

describe("a mistake of the manual:", function()
  each_mistake(host.embedded("help/mistakes.md"), function(title, code, message)
    it(title .. ", is answered as it says", function()
      local said = test.real_time(run, code)
      assert(squeeze(said):find(pattern(message)), ("expected %s\ngot %s"):format(message, said))
    end)
  end)
end)
