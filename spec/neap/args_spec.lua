local args = require("neap.args")

local SPEC = {
  usage = "Import orders into the shop.",
  [1] = { name = "file", help = "orders" },
  input = { help = "second file", short = "i", value = "FILE" },
  limit = { type = "integer", default = 10, min = 1, max = 99, short = "n" },
  ratio = { type = "number" },
  wait = { type = "duration", default = "30s", max = "1h" },
  colour = { type = "choice", choices = { "red", "green" } },
  verbose = { type = "flag", short = "v" },
  quiet = { type = "flag", short = "q" },
  dry_run = { type = "flag", default = true },
}

local function parse(...)
  return args.parse(SPEC, { [0] = "import.lua", ... })
end

local function refuses(message, ...)
  assert.are.same({ nil, message, 2, n = 3 }, table.pack(parse(...)))
end

local function misuses(message, spec)
  local ok, err = pcall(args.parse, spec, {})
  assert.is_false(ok)
  assert.are.equal("usage", err.kind)
  assert.matches(message, err.message, 1, true)
end

describe("neap.args", function()
  it("gives the defaults of what is not there, and false for a flag", function()
    assert.are.same({ file = "a.json", limit = 10, wait = 30, verbose = false, quiet = false,
      dry_run = true }, parse("a.json"))
  end)

  it("reads a value behind a blank, an equals sign or a short name", function()
    for _, words in ipairs({ { "--limit", "5" }, { "--limit=5" }, { "-n", "5" }, { "-n5" }, { "-n=5" } }) do
      words[#words + 1] = "f"
      assert.are.equal(5, parse(table.unpack(words)).limit)
    end
    assert.are.equal("a=b", parse("f", "--input=a=b").input)
    assert.are.equal("", parse("f", "--input=").input)
  end)

  it("lets the last of several win", function()
    assert.are.equal(7, parse("f", "-n", "5", "--limit", "7").limit)
  end)

  it("reads flags, their opposites and several in one word", function()
    local values = parse("f", "-vq", "--no-dry-run")
    assert.are.same({ true, true, false }, { values.verbose, values.quiet, values.dry_run })
    assert.is_true(parse("f", "--no-dry-run", "--dry_run").dry_run)
    assert.are.equal(5, parse("f", "-vn5").limit)
  end)

  it("takes everything behind -- for arguments", function()
    assert.are.equal("--limit", parse("--", "--limit").file)
  end)

  it("takes a lone - and negative numbers for arguments and values", function()
    assert.are.equal("-", parse("-").file)
    assert.are.equal("-5", parse("-5").file)
    assert.are.equal(-0.5, parse("f", "--ratio", "-0.5").ratio)
    assert.is_true(args.parse({ five = { type = "flag", short = "5" } }, { "-5" }).five)
  end)

  it("keeps integers integers and numbers finite", function()
    assert.are.equal("integer", math.type(parse("f", "--limit=5").limit))
    refuses('--limit: "5.0" is no integer', "f", "--limit=5.0")
    refuses('--limit: "99999999999999999999" is no integer', "f", "--limit=99999999999999999999")
    refuses('--ratio: "1e999" is no number', "f", "--ratio=1e999")
    refuses('--ratio: "nan" is no number', "f", "--ratio=nan")
  end)

  it("holds numbers and durations within their bounds", function()
    assert.are.equal(1, parse("f", "--limit=1").limit)
    assert.are.equal(99, parse("f", "--limit=99").limit)
    refuses("--limit: 0 is less than 1", "f", "--limit=0")
    refuses("--limit: 100 is more than 99", "f", "--limit=100")
    refuses("--wait: 3601s is more than 3600s", "f", "--wait=1h1s")
  end)

  it("gives durations in seconds, with or without units", function()
    assert.are.equal(90, parse("f", "--wait=1m30s").wait)
    assert.are.equal(0.25, parse("f", "--wait=0.25").wait)
    refuses('--wait: "soon" is no duration, such as 0.5, 250ms or 1m30s', "f", "--wait=soon")
  end)

  it("takes a choice from its list and suggests the nearest", function()
    assert.are.equal("red", parse("f", "--colour=red").colour)
    refuses('--colour: "gren" is none of red, green; did you mean "green"?', "f", "--colour=gren")
  end)

  it("refuses unknown options and suggests the nearest", function()
    refuses('unknown option --limt; did you mean "--limit"?', "f", "--limt=5")
    refuses('unknown option --no-limit; did you mean "--limit"?', "f", "--no-limit")
    refuses("unknown option --no-help", "f", "--no-help")
    refuses("unknown option -x", "f", "-vx")
    refuses('"--=5" is no option', "f", "--=5")
  end)

  it("refuses an option without its value, and a flag with one", function()
    refuses("--limit needs a value", "f", "--limit")
    refuses("--input needs a value", "f", "--input", "--verbose")
    assert.are.equal("--verbose", parse("f", "--input=--verbose").input)
    refuses("--verbose takes no value", "f", "--verbose=yes")
  end)

  it("asks for what is required and refuses what is too much", function()
    refuses("FILE is required")
    refuses('unexpected argument "b"', "a", "b")
    local spec = { input = { required = true } }
    assert.are.same({ nil, "--input is required", 2 }, { args.parse(spec, {}) })
  end)

  it("gives the arguments that follow the declared ones as a list", function()
    local spec = { { name = "to" }, rest = { name = "ids", type = "integer" } }
    assert.are.same({ to = "x", ids = { 1, 2 } }, args.parse(spec, { "x", "1", "2" }))
    assert.are.same({ to = "x", ids = {} }, args.parse(spec, { "x" }))
    assert.are.same({ nil, 'IDS: "b" is no integer', 2 }, { args.parse(spec, { "x", "1", "b" }) })
    assert.are.same({ rest = { "a" } }, args.parse({ rest = true }, { "a" }))
    spec = { rest = { name = "ids", required = true } }
    assert.are.same({ nil, "IDS is required", 2 }, { args.parse(spec, {}) })
  end)

  it("leaves out an argument that is not required", function()
    local spec = { { name = "from" }, { name = "to", required = false }, { name = "by", default = 3 } }
    assert.are.same({ from = "x", by = 3 }, args.parse(spec, { "x" }))
  end)

  it("prints the usage for --help, whatever else is wrong before a mistake", function()
    local values, message, status = parse("--help", "--limt")
    assert.is_nil(values)
    assert.are.equal(0, status)
    assert.are.equal([[
usage: neap run import.lua [OPTIONS] FILE

Import orders into the shop.

arguments:
  FILE                 orders

options:
      --colour COLOUR  (red | green)
      --dry-run        (default true)
  -i, --input FILE     second file
  -n, --limit LIMIT    (integer, at least 1, at most 99, default 10)
  -q, --quiet
      --ratio RATIO    (number)
  -v, --verbose
      --wait WAIT      (duration, at most 3600s, default 30s)
  -h, --help           show this]], message)
    assert.are.equal(message, select(2, parse("-h")))
  end)

  it("raises usage for a declaration that is wrong", function()
    misuses('neap.args limit: unknown option "typ"; did you mean "type"?', { limit = { typ = 1 } })
    misuses('limit: unknown type "integr"; did you mean "integer"?', { limit = { type = "integr" } })
    misuses('type "choice" and a list of choices go together', { a = { type = "choice" } })
    misuses("a: choice 2: string expected, got number", { a = { type = "choice", choices = { "1", 2 } } })
    misuses("a: there is nothing in choices", { a = { type = "choice", choices = {} } })
    misuses("short is one letter or digit that no other option has",
      { a = { short = "x" }, b = { short = "x" } })
    misuses('"help" cannot be the name of an option', { help = {} })
    misuses("a: value is a text, for an option that takes one", { a = { value = 1 } })
    misuses("a: value is a text, for an option that takes one", { a = { type = "flag", value = "A" } })
    misuses('argument 1: there is another "help" already', { { name = "help" } })
    misuses('rest: there is another "help" already', { rest = { name = "help" } })
    misuses('argument 2: there is another "a" already', { { name = "a" }, { name = "a" } })
    misuses('rest: there is another "a" already', { { name = "a" }, rest = { name = "a" } })
    misuses('option: there is another "a" already', { { name = "a" }, a = {} })
    misuses("rest: table or true expected, got string", { rest = "files" })
    misuses("--a-b is declared twice", { a_b = {}, ["a-b"] = {} })
    misuses("limit is declared by a table, got string", { limit = "integer" })
    misuses("a table of declarations expected, got nil", nil)
    misuses("a table of declarations expected, got string", "integer")
    local ok, err = pcall(args.parse, {})
    assert.is_false(ok)
    assert.matches("neap.args: argv: list expected, got nil", err.message, 1, true)
    misuses("argument 1 needs a name", { { help = "a file" } })
    misuses("argument 2: a required one cannot follow A, which is not",
      { { name = "a", default = 1 }, { name = "b" } })
  end)

  describe("called as a function", function()
    local host, saved, statuses

    before_each(function()
      host, saved, statuses = package.loaded["neap.core.host"], arg, {}
      package.loaded["neap.core.host"] = { exit = function(status) statuses[#statuses + 1] = status end }
    end)

    after_each(function()
      package.loaded["neap.core.host"], _G.arg = host, saved
    end)

    -- What `args` writes to that stream.
    local function written_to(name)
      local written, stream = {}, io[name]
      rawset(io, name, { write = function(_, ...) written[#written + 1] = table.concat({ ... }) end })
      local ok, err = pcall(args, SPEC)
      rawset(io, name, stream)
      assert(ok, err)
      return written
    end

    it("reads the arguments of the script", function()
      _G.arg = { [0] = "import.lua", "a.json", "-n5" }
      assert.are.equal(5, args(SPEC).limit)
      assert.are.same({}, statuses)
    end)

    it("ends the script with status 2 and says on standard error why", function()
      _G.arg = { [0] = "import.lua", "a.json", "--limt" }
      local written = written_to("stderr")
      assert.are.same({ 2 }, statuses)
      assert.are.same({ 'import.lua: unknown option --limt; did you mean "--limit"?\n'
        .. "try: neap run import.lua --help\n" }, written)
    end)

    it("prints the help and ends the script with status 0", function()
      _G.arg = { [0] = "import.lua", "--help" }
      local written = written_to("stdout")
      assert.are.same({ 0 }, statuses)
      assert.matches("^usage: neap run import.lua %[OPTIONS%] FILE\n", written[1])
    end)
  end)
end)
