--- For specs of the examples: loads one as `neap run` does, and leaves its main function
--- to the spec.

local program = require("neap.program")

-- As for a script: its folder comes first.
package.path = "examples/?.lua;" .. package.path

local example = {}

---@class spec.Example
---@field main? fun(...: string)  What it gave to `neap.main`.
---@field printed string[]  What it has printed, a line each.

--- Run the file of an example to its end, as a host would before it calls the main function.
---@async
---@param name string  Without folder and `.lua`.
---@return table<string, function> functions  What the file returned.
---@return spec.Example loaded
function example.load(name)
  local loaded = { printed = {} }
  local function print(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    loaded.printed[#loaded.printed + 1] = table.concat(words, "\t")
  end
  local globals = setmetatable({ print = print }, { __index = _G })

  program.on_main = function(fn) loaded.main = fn end
  local functions = assert(loadfile("examples/" .. name .. ".lua", "t", globals))()
  program.on_main = nil
  return functions, loaded
end

return example
