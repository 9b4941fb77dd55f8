--- Write one entry of the reference as Markdown.

local page = {}

-- Whether nothing that must be given follows the i-th parameter.
local function ends_optional(params, i)
  for j = i + 1, #params do
    if not params[j].optional and params[j].name ~= "..." then return false end
  end
  return true
end

-- `neap.map(list, fn [, opts])`, `scope:spawn([opts,] fn, ...)`.
local function signature(made)
  local name = made.written or made.name
  if made.kind ~= "function" and made.kind ~= "method" then return name end
  local text, comma = "", ""
  for i, param in ipairs(made.params) do
    if not param.optional then
      text, comma = text .. comma .. param.name, ", "
    elseif ends_optional(made.params, i) then
      text = ("%s%s[%s%s]"):format(text, comma ~= "" and " " or "", comma, param.name)
      comma = ", "
    else
      text, comma = ("%s%s[%s,]"):format(text, comma, param.name), " "
    end
  end
  return ("%s(%s)"):format(name, text)
end

local function first_sentence(text)
  local line = (text:match("^(.-)\n%s*\n") or text):gsub("\n", " ")
  return line:match("^(.-%.)%s+%u") or line
end

local function with_text(start, text)
  return text ~= "" and ("%s: %s"):format(start, text) or start
end

local function item(indent, param)
  local kind = param.optional and param.type .. ", optional" or param.type
  return with_text(("%s- `%s` (%s)"):format(indent, param.name, kind), param.text)
end

--- Write an entry.
---@param made cli.Entry
---@param fields_of fun(type_name: string): table[]  The fields of a table of options.
---@return string markdown
function page.write(made, fields_of)
  local lines = { ("## `%s`"):format(signature(made)), "" }
  local function paragraph(text)
    if text == "" then return end
    lines[#lines + 1] = text
    lines[#lines + 1] = ""
  end

  paragraph(made.kind == "value" and made.type and "Type: " .. made.type or "")
  paragraph(made.text)
  for _, overload in ipairs(made.overloads) do paragraph(("Also: `%s`"):format(overload)) end

  for _, param in ipairs(made.params) do
    lines[#lines + 1] = item("", param)
    for _, field in ipairs(fields_of(param.type)) do lines[#lines + 1] = item("  ", field) end
  end
  for _, given in ipairs(made.returns) do
    local name = given.name and ("`%s` "):format(given.name) or ""
    lines[#lines + 1] = with_text(("- returns %s(%s)"):format(name, given.type), given.text)
  end
  if #made.params + #made.returns > 0 then lines[#lines + 1] = "" end
  -- What only calls a body may wait in it, and says so itself.
  local checkpoint = made.async and not made.text:find("By itself no checkpoint.", 1, true)
  paragraph(checkpoint and "A checkpoint: it may wait, and raises if its scope is cancelled." or "")

  for _, field in ipairs(made.fields) do lines[#lines + 1] = item("", field) end
  for _, member in ipairs(made.members) do
    lines[#lines + 1] = with_text(("- `%s`"):format(signature(member)), first_sentence(member.text))
  end
  return (table.concat(lines, "\n"):gsub("\n+$", "")) .. "\n"
end

return page
