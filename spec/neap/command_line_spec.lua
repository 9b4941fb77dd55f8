local binary = require("spec.neap.binary")

local neap, write = binary.neap, binary.write

before_each(binary.open_folder)
after_each(binary.remove_folder)

describe("the command line", function()
  it("alone is a guide of twelve lines", function()
    local r = neap("")
    assert.are.equal(0, r.status)
    assert.are.equal(12, select(2, r.out:gsub("\n", "\n")))
  end)

  it("tells the version", function()
    assert.truthy(neap("version").out:find("^neap %d+%.%d+%.%d+, Lua 5%.4\n$"))
    assert.are.equal(neap("version").out, neap("--version").out)
  end)

  it("suggests the nearest command and option", function()
    local r = neap("rnu x")
    assert.are.equal(2, r.status)
    assert.truthy(r.err:find("did you mean neap run?", 1, true))
    r = neap("run --grce 3 x")
    assert.are.equal(2, r.status)
    assert.truthy(r.err:find('did you mean "--grace"?', 1, true))
    r = neap("test --sede 3")
    assert.are.equal(2, r.status)
    assert.truthy(r.err:find('did you mean "--seed"?', 1, true))
    assert.truthy(neap("script.lua").err:find("neap run script.lua", 1, true))
    assert.truthy(neap("--hlep").err:find("unknown option --hlep; did you mean neap --help?", 1, true))
    assert.are.equal("neap: unknown command guide; neap alone lists the commands\n", neap("guide").err)
  end)

  it("shows the page of a command, for --help, too", function()
    for command, title in pairs({ run = "Run a script", test = "Testing", repl = "Try things out", check = "Check",
                                  help = "Read the manual", version = "Read the manual" }) do
      local r = neap(command .. " --help")
      assert.are.equal(0, r.status)
      assert.are.equal(1, r.out:find(title, 1, true), r.out)
      assert.are.equal(r.out, neap("help " .. command).out)
    end
  end)

  it("refuses options without a value, and values that are none", function()
    for wrong, message in pairs({
      ["run --grace"] = "neap run: --grace needs a value",
      ["run --grace soon x"] = 'neap run: --grace soon: a duration is seconds or a text as "1m30s"',
      ["run"] = "neap run: which file?",
      ["test --seed x"] = "neap test: --seed x: a whole number, or a range as 1..1000",
      ["test --seed 2..1"] = "neap test: --seed 2..1: a whole number, or a range as 1..1000",
      ["test --slice-limit soon"] = 'neap test: --slice-limit soon: a duration is seconds or a text as "1m30s"',
      ["test --filter '['"] = "neap test: --filter [: a pattern as string.find takes it",
      ["test nowhere"] = "neap test: nowhere: No such file or directory",
      ["version x"] = "neap version: x: no arguments are taken",
      ["-v x"] = "neap version: x: no arguments are taken",
    }) do
      local r = neap(wrong)
      assert.are.equal(2, r.status, wrong)
      assert.are.equal(message, r.err:match("^[^\n]*"))
    end
  end)

  it("takes --name=value, and -- before a file", function()
    write("script.lua", "print(...)")
    assert.are.equal("--x\n", neap("run --grace=1s -- script.lua --x").out)
  end)
end)
