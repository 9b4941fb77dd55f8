local help = require("cli.help")
local markdown = require("cli.markdown")
local reference = require("cli.reference")

local FILES = {
  ["neap/semaphore.lua"] = [[
--- Limit how many tasks do something at once.
--- It is fair.

local sem = require("neap.core.sem")
local inner = require("neap.inner")

---@class neap.Semaphore: neap.core.Sem
local Semaphore = sem.methods

--- Run `fn(...)` holding a slot. The slot goes back
--- when `fn` returns.
---@async
---@generic R
---@param fn async fun(...): R  The body,
---  run once.
---@param ... any  Passed to `fn`.
---@return R
function Semaphore:run(fn, ...)
  return fn(...)
end

local function hidden() end

local semaphore = {}

--- Create a semaphore.
---@param slots integer  At least 1.
---@return neap.Semaphore gate
---@nodiscard
function semaphore.new(slots)
  return sem.new(slots, hidden)
end

--- Make a spare one.
function semaphore.spare() end

semaphore.act = inner.act

return semaphore
]],
  ["meta/sem.lua"] = [[
---@meta neap.core.sem

---@class neap.core.Sem
local Sem = {}

--- Wait for `n` slots.
---@async
---@param n? integer  1 if left out.
---@return neap.Permit
function Sem:acquire(n) end
]],
  ["meta/scope.lua"] = [[
---@meta neap.core.scope

---@class neap.SpawnOptions
---@field name? string  For people.
---@field guard? boolean  Whose failure it is.
---@field private secret? boolean

--- A block that does not end before its tasks.
---@class neap.Scope
---@field failures any[]  In their order.
local Scope = {}

--- Start a task.
---@param opts? neap.SpawnOptions
---@param fn async fun(...)
---@param ... any
---@return neap.Task
---@overload fun(self: neap.Scope, fn: async fun(...), ...): neap.Task
function Scope:spawn(opts, fn, ...) end
]],
  ["meta/time.lua"] = [[
---@meta neap.core.time

local time = {}

--- Wait for a while.
---@async
---@param d number|string
function time.sleep(d) end

--- Wait no longer.
function time.timeout() end

--- Nobody's business.
function time.tick() end

return time
]],
  ["neap/init.lua"] = [[
--- Everything in one table.

local semaphore = require("neap.semaphore")
local core = {
  time = require("neap.core.time"),
}

local neap = {
  sleep = core.time.sleep,
}

neap.semaphore = semaphore.new

local LAZY = {
  spare = { "neap.semaphore", "spare" },
  timeout = { "neap.wide", "timeout" },
  act = { "neap.semaphore", "act" },
}

--- Open a scope.
---@param opts? table
---@param fn? fun(s: neap.Scope)
function neap.scope(opts, fn) end

--- The wall clock, in seconds.
---@type fun(zone?: string, pair: table<string, integer>): number
neap.now = semaphore.clock

--- How deep.
---@type integer
neap.depth = 3

return neap
]],
  ["neap/wide.lua"] = "local time = require(\"neap.core.time\")\n\ntime.more = 1\n\nreturn time\n",
  ["neap/inner.lua"] = "--- For the library alone.\n---@package\n\nlocal inner = {}\n\n"
    .. "--- Do it.\nfunction inner.act() end\n\nreturn inner\n",
  ["help/args.md"] = "# Arguments\n",
  ["help/index.md"] = "# All pages\n\n| Page | About |\n| --- | --- |\n| `scopes` | tasks |\n| `index` | this |\n",
  ["help/scopes.md"] = "# Scopes and `tasks`\n\nA scope **joins** its tasks.\n",
  ["cli/help.lua"] = "--- No part of the library.\n\nreturn {}\n",
}

local SOURCE = {
  embedded = function(name) return FILES[name] end,
  embedded_list = function()
    local names = {}
    for name in pairs(FILES) do names[#names + 1] = name end
    return names
  end,
}

local function run(argv, terminal)
  local pieces = {}
  local out = { write = function(_, ...) pieces[#pieces + 1] = table.concat({ ... }) end }
  local status = help.run(argv, out, terminal, SOURCE)
  return table.concat(pieces), status
end

local function read(source)
  return reference.read({ { name = "neap/thing.lua", source = source } })
end

describe("neap help", function()
  it("lists the pages with their titles, and the names of the reference", function()
    local text, status = run({})
    assert.are.equal(0, status)
    assert.matches("\nPage    About\nscopes  Scopes and tasks\nindex   All pages\nargs    Arguments\n", text, 1, true)
    assert.matches([[
Reference: neap, neap.act, neap.depth, neap.now, neap.scope, neap.semaphore,
neap.sleep, neap.spare, neap.timeout, scope, scope:spawn, semaphore,
semaphore:acquire, semaphore:run.
]], text, 1, true)
  end)

  it("shows a page", function()
    assert.are.same({ "Scopes and tasks\n\nA scope joins its tasks.\n", 0 }, { run({ "scopes" }) })
  end)

  it("sets what is strong in bold on a terminal only", function()
    local text = run({ "scopes" }, { width = 80, bold = true })
    assert.are.equal("\27[1mScopes and tasks\27[0m\n\nA scope \27[1mjoins\27[0m its tasks.\n", text)
  end)

  it("shows a function with its parameters, results and options", function()
    assert.are.equal([[
scope:spawn([opts,] fn, ...)

Start a task.

Also: `fun(self: neap.Scope, fn: async fun(...), ...): neap.Task`

- `opts` (neap.SpawnOptions, optional)
  - `name` (string, optional): For people.
  - `guard` (boolean, optional): Whose failure it is.
- `fn` (async fun(...))
- `...` (any)
- returns (neap.Task)
]], (run({ "scope:spawn" })))
  end)

  it("says of a function that it is a checkpoint, and joins its lines", function()
    assert.are.equal([[
semaphore:run(fn, ...)

Run `fn(...)` holding a slot. The slot goes back when `fn` returns.

- `fn` (async fun(...): R): The body, run once.
- `...` (any): Passed to `fn`.
- returns (R)

A checkpoint: it may wait, and raises if its scope is cancelled.
]], (run({ "semaphore:run" })))
  end)

  it("shows what a class inherits from the part that is C, under its public name", function()
    assert.matches("^semaphore:acquire%(%[n%]%)\n\nWait for `n` slots%.", run({ "semaphore:acquire" }))
    local _, status = run({ "sem:acquire" })
    assert.are.equal(2, status)
  end)

  it("shows function and class of one name together, and the page about them", function()
    local text = run({ "scope" })
    assert.matches("neap.scope([opts] [, fn])\n\nOpen a scope.", text, 1, true)
    assert.matches("A block that does not end before its tasks.", text, 1, true)
    assert.matches("- `failures` (any[]): In their order.\n", text, 1, true)
    assert.matches("- `scope:spawn([opts,] fn, ...)`: Start a task.\n", text, 1, true)
    assert.matches("See also: `neap help scopes`.", text, 1, true)
  end)

  it("finds a name without neap., in any case, and a method behind a dot", function()
    assert.are.equal(run({ "neap.scope" }), (run({ "NEAP.Scope" })))
    assert.matches("^neap.now%(", run({ "now" }))
    assert.are.equal(run({ "scope:spawn" }), (run({ "scope.spawn" })))
  end)

  it("follows a name that only hands another on", function()
    assert.matches("neap.semaphore(slots)\n\nCreate a semaphore.", run({ "neap.semaphore" }), 1, true)
    assert.are.equal(run({ "neap.spare" }), (run({ "semaphore.spare" })))
    assert.matches("neap.sleep(d)\n\nWait for a while.", run({ "sleep" }), 1, true)
    assert.are.equal(2, select(2, run({ "neap.core.time.tick" })))
  end)

  it("knows what a module loads when it is asked for, hands on or adds to another one", function()
    assert.are.equal("neap.spare()\n\nMake a spare one.\n", (run({ "spare" })))
    assert.are.equal("neap.timeout()\n\nWait no longer.\n", (run({ "timeout" })))
    assert.are.equal("neap.act()\n\nDo it.\n", (run({ "act" })))
    assert.matches("- `neap.timeout()`: Wait no longer.\n- `neap.act()`: Do it.\n", run({ "neap" }), 1, true)
  end)

  it("shows a function that is called as its module", function()
    local index = "--- The whole.\n\nlocal all = {\n  job = require(\"neap.job\"),\n}\nlocal neap = {\n"
      .. "  job = all.job.open,\n}\n\nreturn neap\n"
    local known = reference.read({
      { name = "neap/init.lua", source = index },
      { name = "neap/job.lua", source = "--- Jobs.\n\nlocal job = require(\"neap.core.job\")\n\nreturn job\n" },
      { name = "meta/job.lua", source = "---@meta neap.core.job\n\nlocal job = {}\n\n--- Open one.\n"
        .. "--- By itself no checkpoint.\n---@async\nfunction job.open() end\n\nreturn job\n" },
    })
    local pieces = {}
    for _, entry in ipairs(known:find("neap.job")) do pieces[#pieces + 1] = known:markdown(entry) end
    assert.are.same({ "## `neap.job`\n\nJobs.\n", "## `neap.job()`\n\nOpen one.\nBy itself no checkpoint.\n" },
      pieces)
  end)

  -- The reference of the library itself.
  local function library()
    local files, host = {}, require("neap.core.host")
    for _, name in ipairs(host.embedded_list()) do
      if name:find("^neap/") or name:find("^meta/") then
        files[#files + 1] = { name = name, source = host.embedded(name) }
      end
    end
    table.sort(files, function(a, b) return a.name < b.name end)
    return reference.read(files)
  end

  it("writes names as a script reaches them, and has none that it does not reach", function()
    local unreached, required = {}, {}
    for _, made in ipairs(library().list) do
      if made.kind ~= "class" and made.kind ~= "method" then
        local way = made.written or made.name
        local ok, value = pcall(load("local neap = require('neap') return " .. way))
        if not ok or value == nil then unreached[#unreached + 1] = way end
        required[way] = made.written and true
      end
    end
    assert.are.same({}, unreached)
    assert.is_true(required['require("neap.error").is'] and required['require("neap.test")'])
  end)

  it("leaves out a module of which everything is reached under other names", function()
    local files = {
      { name = "neap/init.lua", source = "--- All.\n\nlocal neap = {}\n\nlocal LAZY = {\n"
        .. '  one = { "neap.parts", "one" },\n}\n\nreturn neap\n' },
      { name = "neap/parts.lua", source = "--- Parts.\n\nlocal parts = {}\n\n--- The first.\nfunction parts.one() end\n"
        .. "\nreturn parts\n" },
    }
    assert.are.same({ "neap", "neap.one" }, reference.read(files):names())
    files[2].source = files[2].source:gsub("return", "--- More.\nfunction parts.two() end\n\n%0")
    local known = reference.read(files)
    assert.are.same({ "neap", "neap.one", "neap.parts", "neap.parts.two" }, known:names())
    assert.are.equal('## `require("neap.parts").two()`\n\nMore.\n', known:markdown(known:find("parts.two")[1]))
  end)

  it("has an entry for every public name", function()
    local known = library()
    local api = require("cli.check.api")
    local missing = {}
    for name in pairs(api.types.neap.members) do
      if #known:find("neap." .. name) == 0 then missing[#missing + 1] = name end
    end
    assert.are.same({}, missing)
  end)

  it("finds the methods of a name when nothing else has it", function()
    assert.are.equal(run({ "scope:spawn" }), (run({ "spawn" })))
  end)

  it("reads a function from its type where it has no other declaration", function()
    assert.are.equal([[
neap.now([zone,] pair)

The wall clock, in seconds.

- `zone` (string, optional)
- `pair` (table<string, integer>)
- returns (number)
]], (run({ "neap.now" })))
    assert.matches("^neap.depth\n\nType: integer\n", run({ "neap.depth" }))
  end)

  it("leaves out what is private", function()
    local text = run({ "--markdown", "reference" })
    assert.is_nil(text:find("secret") or text:find("inner") or text:find("hidden") or text:find("part of the lib"))
  end)

  it("suggests the nearest topic for an unknown one", function()
    assert.are.same({ 'no help on "scopse"; did you mean "scopes"?\n', 2 }, { run({ "scopse" }) })
    assert.are.same({ 'no help on "scope:spwan"; did you mean "scope:spawn"?\n', 2 }, { run({ "scope:spwan" }) })
    assert.are.same({ 'no help on "nwo"; did you mean "now"?\n', 2 }, { run({ "nwo" }) })
    assert.are.same({ 'no help on "neap.scpe"; did you mean "scope"?\n', 2 }, { run({ "neap.scpe" }) })
    assert.are.same({ 'no help on "xylophone"; neap help lists all topics\n', 2 }, { run({ "xylophone" }) })
  end)

  it("refuses more than one topic and unknown options", function()
    assert.are.same({ "usage: neap help [--markdown] [TOPIC]\n", 2 }, { run({ "a", "b" }) })
    assert.are.same({ "usage: neap help [--markdown] [TOPIC]\n", 2 }, { run({ "--html" }) })
  end)

  it("writes the whole reference as one Markdown text", function()
    local text, status = run({ "--markdown", "reference" })
    assert.are.equal(0, status)
    assert.matches("^# Reference\n\n## `neap`\n\nEverything in one table%.\n", text)
    assert.matches("\n\n## `scope:spawn([opts,] fn, ...)`\n\nStart a task.\n\n", text, 1, true)
    assert.are.equal(FILES["help/scopes.md"], (run({ "--markdown", "scopes" })))
  end)
end)

describe("the reference", function()
  local function params(annotation)
    local known = read("local thing = {}\n\n--- Act.\n---@param " .. annotation
      .. "\nfunction thing.act(a) end\n\nreturn thing\n")
    return known:find("thing.act")[1].params
  end

  it("finds where a type ends and its text begins", function()
    local function param(type_name, text, optional)
      return { { name = "a", type = type_name, text = text or "", optional = optional or false } }
    end
    assert.are.same(param("string"), params("a string"))
    assert.are.same(param("string", "A name."), params("a string  A name."))
    assert.are.same(param("string", "", true), params("a? string"))
    assert.are.same(param("string", "", true), params("a string?"))
    assert.are.same(param("table<string, integer>", "x"), params("a table<string, integer> x"))
    assert.are.same(param("fun(x: { y: z }): a, b", "x"), params("a fun(x: { y: z }): a, b  x"))
    assert.are.same(param("async fun(...): R?", "x"), params("a async fun(...): R?  x"))
    assert.are.same(param('"a" | "b"', "x"), params('a "a" | "b"  x'))
  end)

  it("reads a declaration that goes over several lines", function()
    local known = read("local thing = {}\n\n--- Act.\n---@param a any\nfunction thing.act(a,\n    b)\n"
      .. "end\n\nreturn thing\n")
    assert.are.equal("neap.thing.act", known:find("thing.act")[1].name)
  end)

  it("takes a comment for the declaration right below it only", function()
    local known = read("local thing = {}\n\n--- Far away.\n\nfunction thing.act() end\n\nreturn thing\n")
    assert.are.same({}, known:find("thing.act"))
  end)

  it("comes to an end where classes inherit in a circle", function()
    local known = read("---@class neap.A: neap.B\nlocal A = {}\n\n---@class neap.B: neap.A\nlocal B = {}\n\n"
      .. "--- Act.\nfunction B:act() end\n")
    assert.are.same({ "a", "a:act", "b", "b:act" }, known:names())
  end)

  it("reads an empty file, and one that declares nothing", function()
    assert.are.same({}, read(""):names())
    assert.are.same({}, read("return 1"):names())
  end)
end)

describe("markdown on a terminal", function()
  local function render(text, width)
    return markdown.render(text, { width = width or 20, bold = false })
  end

  it("wraps paragraphs and list items to the width, a longer word alone", function()
    assert.are.equal("one two three four\nfive\n", render("one two\nthree four five"))
    assert.are.equal("- one two three four\n  five\n  - six\n", render("- one two three\n  four five\n  - six"))
    assert.are.equal("a\nbbbbbbbbbbbbbbbbbbbbbbbbb\nc\n", render("a bbbbbbbbbbbbbbbbbbbbbbbbb c"))
  end)

  it("counts characters, not bytes", function()
    assert.are.equal("ääää ääää\nää\n", render("ääää ääää ää", 10))
  end)

  it("leaves code as it is", function()
    assert.are.equal("x\n\n    a  **b**   c d e f g h i j\n\ny\n",
      render("x\n```lua\na  **b**   c d e f g h i j\n```\ny"))
    assert.are.equal("x\n\n    a\n\n      b\n\ny\n", render("x\n\n    a\n\n      b\n\ny"))
    assert.are.equal("`2 ** 3 ** 4`\n", render("`2 ** 3 ** 4`"))
  end)

  it("aligns tables and wraps their last column", function()
    assert.are.equal("a    b\ncc   d | e\nfff  g\n",
      render("| a | b |\n| --- | --- |\n| cc | d \\| e |\n| fff | g |", 80))
    assert.are.equal("a  one two three four\n   five\n",
      render("| a | one two three four five |", 24))
  end)

  it("wraps the widest column of a table that is wider than the page", function()
    assert.are.equal("what              default\nlimit of some     none\nlength, in bytes\n",
      render("| what | default |\n| --- | --- |\n| limit of some length, in bytes | none |", 25))
  end)

  it("keeps the columns of a table apart where a word is too long for its own", function()
    assert.are.equal("an_endless_name_of_a  none\n",
      render("| an_endless_name_of_a | none |", 20))
  end)

  it("shows where a link leads if that is not a page", function()
    assert.are.equal("see scopes and Lua (https://www.lua.org)\n",
      render("see [scopes](scopes.md) and [Lua](https://www.lua.org)", 80))
  end)
end)
