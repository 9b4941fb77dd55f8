local neap = require("neap")
local process = require("neap.process")

-- What a script prints whose standard input is `input`.
local function run(script, input)
  local dir <close> = neap.fs.temp_dir()
  local path = dir.path .. "/script.lua"
  neap.fs.write(path, 'local neap = require("neap")\n' .. script)
  local result = process.run({ "/proc/self/exe", "run", path, stdin = input, timeout = "30s" })
  assert.are.equal("", result.stderr)
  assert.are.equal(0, result.status)
  return result.stdout
end

-- A script that is still running.
local function spawn(script)
  return process.spawn({ "sh", "-c", 'f=$(mktemp); printf "%s" "$1" >"$f"; "$0" run "$f"; rm "$f"',
    "/proc/" .. neap.fs.read("/proc/self/stat"):match("^%d+") .. "/exe",
    'local neap = require("neap")\nio.stdout:setvbuf("no")\n' .. script })
end

local PRINT_LINES = "for line in neap.stdin:lines() do print('[' .. line .. ']') end"

describe("neap.stdin", function()
  it("gives the lines of a pipe", function()
    assert.are.equal("[one]\n[]\n[two]\n", run(PRINT_LINES, "one\r\n\ntwo"))
  end)

  it("gives the lines of a file, and of nothing", function()
    local dir <close> = neap.fs.temp_dir()
    neap.fs.write(dir.path .. "/in", "one\ntwo\n")
    neap.fs.write(dir.path .. "/script.lua", 'local neap = require("neap")\n' .. PRINT_LINES)
    local result = process.run({ "sh", "-c", '"$0" run "$1/script.lua" <"$1/in"',
      "/proc/" .. neap.fs.read("/proc/self/stat"):match("^%d+") .. "/exe", dir.path })
    assert.are.equal("[one]\n[two]\n", result.stdout)
    assert.are.equal("", run(PRINT_LINES))
  end)

  it("is read as a whole, by numbers of bytes, and at its end", function()
    assert.are.equal("3\tbc\tnil\teof\n",
      run("print(#neap.stdin:read('all'))" .. "", "abc"):gsub("\n", "\tbc\tnil\teof\n"))
    assert.are.equal("a\tbc\tnil\teof\n",
      run("print(neap.stdin:read(1), neap.stdin:read('all'), neap.stdin:read())", "abc"))
  end)

  it("does not keep others from running", function()
    local child <close> = spawn([[
      neap.scope(function(s)
        s:spawn(function() print(neap.stdin:read()) end)
        s:spawn(function() neap.sleep("1ms"); print("other") end)
      end)]])
    assert.are.equal("other", child.stdout:read())
    child.stdin:write("line\n")
    assert.are.equal("line", child.stdout:read())
  end)

  it("is no deadlock while it may bring something", function()
    local child <close> = spawn("print('ready', neap.stdin:read())")
    neap.sleep("50ms")
    child.stdin:close()
    assert.are.equal("ready\tnil\teof", child.stdout:read())
    assert.are.equal(0, child:wait())
  end)

  it("leaves what a cancelled read has not returned", function()
    local child <close> = spawn([[
      print(neap.timeout_or("50ms", neap.stdin.read, neap.stdin, 10))
      print(neap.stdin:read())]])
    child.stdin:write("part")
    assert.are.equal("nil\ttimeout", child.stdout:read())
    child.stdin:write(" and rest\n")
    assert.are.equal("part and rest", child.stdout:read())
  end)

  it("raises limit for a line that is too long, and goes on with a larger limit", function()
    assert.are.equal("limit\n1048577\n", run([[
      local ok, err = pcall(neap.stdin.read, neap.stdin)
      print(err.kind)
      print(#neap.stdin:read("line", { max_line = 2000000 }))]], ("x"):rep((1 << 20) + 1) .. "\n"))
  end)
end)

describe("neap.is_tty", function()
  local PRINT = 'local neap = require("neap") print(neap.is_tty(0), neap.is_tty(1), neap.is_tty(2))'

  -- What `command` prints; in it "$0" is the host, "$1" the script.
  local function printed(command)
    local dir <close> = neap.fs.temp_dir()
    neap.fs.write(dir.path .. "/script.lua", PRINT)
    local host = "/proc/" .. neap.fs.read("/proc/self/stat"):match("^%d+") .. "/exe"
    return process.run({ "sh", "-c", command, host, dir.path .. "/script.lua", timeout = "30s" }).stdout
  end

  it("is false for a pipe, a file and what is closed", function()
    assert.are.equal("false\tfalse\tfalse\n", printed('"$0" run "$1" </dev/null 2>/dev/null'))
    assert.are.equal("false\tfalse\tfalse\n", printed('"$0" run "$1" <&- 2>&-'))
  end)

  it("is true for a terminal, for each of the three by itself", function()
    assert.are.equal("true\ttrue\ttrue\r\n", printed('script -qec "$0 run $1" /dev/null'))
    assert.are.equal("true\ttrue\tfalse\r\n", printed('script -qec "$0 run $1 2>/dev/null" /dev/null'))
  end)

  it("refuses other descriptors", function()
    for _, fd in ipairs({ 3, -1, 0.5, "one" }) do
      local ok, err = pcall(neap.is_tty, fd)
      assert.are.same({ false, "usage" }, { ok, err.kind })
    end
  end)
end)
