-- Standard streams that the caller has closed: the script runs, and fails where it uses them.

local binary = require("spec.neap.binary")

before_each(binary.open_folder)
after_each(binary.remove_folder)

describe("a script without its standard", function()
  -- What it says, its status last.
  local function run(redirection, text)
    binary.write("script.lua", 'local neap = require("neap")\n' .. text)
    return binary.shell(("cd '%s'; ulimit -c 0; { '%s' run script.lua %s; } 2>&1; echo $?"):format(
      binary.folder, binary.NEAP, redirection))
  end

  local WORK = "neap.sleep('1ms') neap.work(function() end) neap.fs.write('f', 'text') "

  it("input reads its end", function()
    assert.are.equal("nil\n0\n", run("<&-", WORK .. "print((neap.stdin:read()))"))
  end)

  it("output runs, and fails if it prints", function()
    assert.are.equal("0\n", run(">&-", WORK))
    assert.are.equal("neap run: standard output could not be written\n1\n", run(">&-", WORK .. "print('lost')"))
  end)

  it("error output runs, and fails in silence", function()
    assert.are.equal("seen\n0\n", run("2>&-", WORK .. "print('seen')"))
    assert.are.equal("1\n", run("2>&-", WORK .. "error('lost')"))
  end)

  it("streams, all of them, keeps its files to itself", function()
    assert.are.equal("1\n", run("<&- >&- 2>&-", [[
      local file = assert(io.open("kept", "w"))
      print("lost")
      io.stderr:write("lost")
      file:close()
      assert(neap.fs.read("kept") == "")
      neap.exit(1)]]))
  end)
end)
