--- neap help [--markdown] [TOPIC]: the manual's pages and the reference, which are in the binary.

local markdown = require("cli.markdown")
local options = require("neap.options")
local reference = require("cli.reference")

local help = {}

local DONE, USAGE = 0, 2

-- The page of a command that is not called as its page.
local PAGES = { test = "testing", version = "help" }

-- Where output is no terminal: a width that mails and pipes agree on.
local PLAIN = { width = 80, bold = false }

---@class cli.help.Source
---@field embedded fun(name: string): string?  The text of a file below lua/.
---@field embedded_list fun(): string[]  The names of all of them.

-- The pages by topic, and their topics sorted: help/scopes.md is "scopes".
local function pages_of(source)
  local pages, topics = {}, {}
  for _, name in ipairs(source.embedded_list()) do
    local topic = name:match("^help/(.+)%.md$")
    if topic then
      pages[topic] = source.embedded(name)
      topics[#topics + 1] = topic
    end
  end
  table.sort(topics)
  return pages, topics
end

-- The topics in the order in which the page `index` tells of them, then all others.
local function in_order(pages, topics)
  local ordered, seen = {}, {}
  for topic in (pages.index or ""):gmatch("\n| `([%w-]+)` |") do
    if pages[topic] and not seen[topic] then
      ordered[#ordered + 1], seen[topic] = topic, true
    end
  end
  for _, topic in ipairs(topics) do
    if not seen[topic] then ordered[#ordered + 1] = topic end
  end
  return ordered
end

local function reference_of(source)
  local files = {}
  for _, name in ipairs(source.embedded_list()) do
    if name:find("^neap/.*%.lua$") or name:find("^meta/.*%.lua$") then
      files[#files + 1] = { name = name, source = source.embedded(name) }
    end
  end
  table.sort(files, function(a, b) return a.name < b.name end)
  return reference.read(files)
end

-- What can be asked for.
local function overview(pages, topics, known)
  local lines = { "# neap help TOPIC", "",
    "A topic is a page, or a name of the reference. The first page is `start`.", "" }
  if #topics > 0 then
    lines[#lines + 1] = "| Page | About |"
    for _, topic in ipairs(in_order(pages, topics)) do
      lines[#lines + 1] = ("| %s | %s |"):format(topic, (markdown.title(pages[topic]):gsub("|", "\\|")))
    end
    lines[#lines + 1] = ""
  end
  local names = known:names()
  if #names > 0 then
    lines[#lines + 1] = "Reference: " .. table.concat(names, ", ") .. "."
  end
  return table.concat(lines, "\n")
end

-- The Markdown about a topic that is no page, or nil: an entry refers to the page of the
-- plural, `scope` to `scopes`.
local function about(topic, pages, known)
  local pieces = {}
  for _, entry in ipairs(known:find(topic)) do pieces[#pieces + 1] = known:markdown(entry) end
  local plural = topic:lower():gsub("^neap%.", "") .. "s"
  if #pieces == 0 then return pages[plural] end
  if pages[plural] then pieces[#pieces + 1] = ("See also: `neap help %s`.\n"):format(plural) end
  return table.concat(pieces, "\n")
end

-- Names are compared, and suggested, without their "neap.": it would hide how much of a
-- short one is wrong.
local function unknown(topic, topics, known)
  local names = table.move(topics, 1, #topics, 1, {})
  for _, name in ipairs(known:names()) do names[#names + 1] = name:gsub("^neap%.", "") end
  local hint = options.hint(topic:gsub("^neap%.", ""), names)
  if hint == "" then hint = "; neap help lists all topics" end
  return ('no help on "%s"%s\n'):format(topic:gsub("%c", "?"), hint)
end

--- Run the command.
---@param argv string[]  A topic, or none; before it `--markdown` for the text as it is
---  written. The topic `reference` is the whole reference.
---@param out { write: fun(self, ...: string) }
---@param terminal? cli.Terminal  nil where output is no terminal.
---@param source? cli.help.Source  What the binary holds, unless a spec brings its own.
---@return integer status  0, or 2 for an unknown topic.
function help.run(argv, out, terminal, source)
  source = source or require("neap.core.host")
  local raw = argv[1] == "--markdown"
  local first = raw and 2 or 1
  if #argv > first or argv[first] and argv[first]:find("^%-") then
    out:write("usage: neap help [--markdown] [TOPIC]\n")
    return USAGE
  end

  local topic = PAGES[argv[first]] or argv[first]
  local pages, topics = pages_of(source)
  -- A page wins, and comes at once: to read the reference takes a while.
  local text, known = pages[topic], nil
  if not text then known = reference_of(source) end
  if not topic then
    text = overview(pages, topics, known)
  elseif topic == "reference" then
    text = known:whole()
  elseif not text then
    text = about(topic, pages, known)
  end
  if not text then
    out:write(unknown(topic, topics, known))
    return USAGE
  end
  out:write(raw and text or markdown.render(text, terminal or PLAIN))
  return DONE
end

return help
