--- The examples of the manual run, and print what they say.
---
--- An example is a block of a page marked as Lua. What it prints stands behind `-->`, one
--- line of output each, in the order in which it is printed.

local host = require("neap.core.host")
local neap = require("neap")

-- Calls `each(line, code)` for every example of a page: the line where it begins, its source.
local function each_example(text, each)
  local number, first, lines = 0, nil, nil
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if lines and line == "```" then
      each(first, table.concat(lines, "\n"))
      lines = nil
    elseif lines then
      lines[#lines + 1] = line
    elseif line == "```lua" then
      first, lines = number, {}
    end
  end
end

-- Tabs and aligned columns are as good as a blank.
local function squeeze(text)
  return (text:gsub("%s+", " "):match("^ ?(.-) ?$"))
end

local function promised(code)
  local lines = {}
  for line in code:gmatch("%-%->([^\n]*)") do lines[#lines + 1] = squeeze(line) end
  return lines
end

-- Run an example in an environment of its own; what it printed.
local function run(page, line, code)
  local printed = {}
  local env = setmetatable({ neap = neap }, { __index = _G })
  function env.print(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    for text in (table.concat(words, " ") .. "\n"):gmatch("(.-)\n") do
      printed[#printed + 1] = squeeze(text)
    end
  end
  local chunk = assert(load(("\n"):rep(line) .. code, "@" .. page .. ".md", "t", env))
  neap.scope({ name = "example" }, function() chunk() end)
  return printed
end

describe("the manual", function()
  for _, name in ipairs(host.embedded_list()) do
    local page = name:match("^help/(.+)%.md$")
    if page then
      each_example(host.embedded(name), function(line, code)
        it(("runs the example of %s at line %d"):format(page, line), function()
          assert.are.same(promised(code), run(page, line, code))
        end)
      end)
    end
  end
end)
