local neap = require("neap")
local process = require("neap.process")

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

-- True while process `pid` is there, a zombie or not.
local function is_there(pid)
  return neap.fs.exists("/proc/" .. pid)
end

-- Wait until `fn` returns true.
local function wait_for(fn)
  neap.timeout("10s", function()
    while not fn() do neap.sleep("5ms") end
  end)
end

-- A child that has set its trap, and what it does then.
local function stubborn(rest)
  local child = process.spawn({ "sh", "-c", "trap '' TERM; echo ready; " .. rest, grace = "100ms" })
  assert.are.equal("ready", child.stdout:read())
  return child
end

describe("neap.process.run", function()
  it("returns status and output", function()
    local result = process.run({ "sh", "-c", "echo out; echo err >&2; exit 3" })
    assert.are.same({ status = 3, stdout = "out\n", stderr = "err\n" }, result)
  end)

  it("lets virtual time run with the wall clock meanwhile", function()
    local began = neap.raw.os.time()
    process.run { "sleep", "0.2" }
    local elapsed = require("neap.test").elapsed()
    assert.is_true(elapsed >= 0.2 and elapsed < neap.raw.os.time() - began + 2)
  end)

  it("hands on arguments as they are, and no shell reads them", function()
    assert.are.equal("$HOME|a b|*|7|", process.run({ "printf", "%s|", "$HOME", "a b", "*", 7 }).stdout)
  end)

  it("gives the program its input, of any size, and nothing by default", function()
    local data = ("\0\1\2\255"):rep(500000)
    assert.are.equal(data, process.run({ "cat", stdin = data }).stdout)
    assert.are.equal("", process.run({ "cat" }).stdout)
    assert.are.equal("", process.run({ "cat", stdin = "" }).stdout)
  end)

  it("does not mind a program that leaves its input unread", function()
    assert.are.equal(0, process.run({ "true", stdin = ("x"):rep(1000000) }).status)
  end)

  it("names the signal that ended the program", function()
    local result = process.run({ "sh", "-c", "kill -KILL $$" })
    assert.is_nil(result.status)
    assert.are.equal("SIGKILL", result.signal)
  end)

  it("puts standard error where it is told", function()
    assert.are.same({ status = 0, stdout = "a\nb\n" },
      process.run({ "sh", "-c", "echo a >&2; echo b", stderr = "stdout" }))
    assert.are.same({ status = 0, stdout = "b\n" },
      process.run({ "sh", "-c", "echo a >&2; echo b", stderr = false }))
  end)

  it("changes the directory and the environment", function()
    assert.are.equal("/\n", process.run({ "pwd", cwd = "/" }).stdout)
    local shown = process.run({ "sh", "-c", "echo $ADDED-$HOME-$PATH", env = { ADDED = "x", HOME = false } }).stdout
    assert.are.equal("x--" .. os.getenv("PATH") .. "\n", shown)
    assert.is_nil(process.run({ "env" }).stdout:find("UV_THREADPOOL_SIZE", 1, true))
  end)

  it("raises io when the program cannot be started, and says what is missing", function()
    local err = raised(process.run, { "no-such-program" })
    assert.are.equal("io", err.kind)
    assert.are.equal("ENOENT", err.code)
    assert.are.equal("neap.process.run no-such-program: no such file or directory", err.message)
    assert.are.equal("neap.process.run ls: directory /no/such: no such file or directory",
      raised(process.run, { "ls", cwd = "/no/such" }).message)
    assert.are.equal("EACCES", raised(process.run, { "/dev/null" }).code)
  end)

  it("raises failed with the result when check is set", function()
    local err = raised(process.run, { "sh", "-c", "echo 1; echo oops >&2; exit 4", check = true })
    assert.are.equal("failed", err.kind)
    assert.is_truthy(err.message:find("exit status 4: oops", 1, true))
    assert.are.equal("1\n", err.data.stdout)
    assert.are.equal(0, process.run({ "true", check = true }).status)
  end)

  it("stops a program that prints more than max_output", function()
    local err = raised(process.run, { "yes", max_output = 100000 })
    assert.are.equal("limit", err.kind)
    assert.are.equal("neap.process.run yes: more than 100000 bytes on stdout; raise the option max_output", err.message)
    assert.are.equal("limit", raised(process.run, { "sh", "-c", "yes >&2", max_output = 100000 }).kind)
    assert.are.equal(3, #process.run({ "printf", "abc", max_output = 3 }).stdout)
  end)

  it("raises timeout and stops the program", function()
    local before = neap.monotonic()
    assert.are.equal("timeout", raised(process.run, { "sleep", "100", timeout = "50ms" }).kind)
    assert.is_true(neap.monotonic() - before < 50)
  end)

  it("refuses misuse in the caller's line", function()
    for _, command in ipairs({
      "ls", {}, { 1.5 }, { "ls", timout = 1 }, { "a\0b" }, { "ls", env = { ["A=B"] = "" } },
      { "ls", stdout = "x" }, { "ls", max_output = -1 }, { "ls", grace = "soon" },
      { "ls", timeout = "soon" },
    }) do
      local err = raised(process.run, command)
      assert.are.equal("usage", err.kind)
      assert.is_truthy(err.message:find("process_spec.lua:%d+: "), err.message)
    end
  end)
end)

describe("a child process", function()
  it("is talked with while it runs", function()
    local child <close> = process.spawn({ "cat" })
    for i = 1, 3 do
      child.stdin:write(i .. "\n")
      assert.are.equal(tostring(i), child.stdout:read())
    end
    child.stdin:close()
    assert.are.same({ nil, "eof" }, { child.stdout:read() })
    assert.are.equal(0, child:wait())
    assert.are.equal(0, child:wait())
  end)

  it("is waited for by several tasks", function()
    local child <close> = process.spawn({ "cat" })
    local seen = {}
    neap.scope(function(s)
      for i = 1, 3 do s:spawn(function() seen[i] = child:wait() end) end
      neap.yield()
      child.stdin:close()
    end)
    assert.are.same({ 0, 0, 0 }, seen)
  end)

  it("makes a writer wait that is ahead of it", function()
    local child <close> = process.spawn({ "cat" })
    neap.scope(function(s)
      local writer = s:spawn(child.stdin.write, child.stdin, ("x"):rep(1000000))
      neap.sleep("20ms")
      assert.are.equal("waiting", writer:status())
      assert.are.equal(1000000, #child.stdout:read(1000000))
      writer:await()
    end)
  end)

  it("tells a writer that it has gone", function()
    local child <close> = process.spawn({ "true" })
    child:wait()
    local err = raised(child.stdin.write, child.stdin, "x")
    assert.are.equal("io", err.kind)
    assert.are.equal("EPIPE", err.code)
  end)

  it("gets signals by their names, until it has ended", function()
    local child <close> = process.spawn({ "sleep", "100" })
    assert.is_true(child:kill("SIGINT"))
    assert.are.same({ nil, "SIGINT" }, { child:wait() })
    assert.is_false(child:kill())
    assert.are.equal("usage", raised(child.kill, child, "TERM").kind)
  end)

  it("is stopped and gone when its block is left", function()
    local pid
    do
      local child <close> = process.spawn({ "sleep", "100" })
      pid = child.pid
      assert.is_true(is_there(pid))
    end
    assert.is_false(is_there(pid))
  end)

  it("is stopped and gone before its cancelled task has ended", function()
    local pid
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, function()
        local child <close> = process.spawn({ "sleep", "100" })
        pid = child.pid
        child:wait()
      end)
      wait_for(function() return pid end)
      task:cancel()
      task:join()
      assert.is_false(is_there(pid))
    end)
  end)

  it("is killed after its grace when it ignores SIGTERM", function()
    local child = stubborn("while true; do sleep 1; done")
    local before = neap.monotonic()
    child:close()
    local took = neap.monotonic() - before
    assert.is_true(took >= 0.1 and took < 4, "took " .. took)
    assert.are.same({ nil, "SIGKILL" }, { child:wait() })
  end)

  it("is gone before its task has ended, also when that is cancelled while it waits", function()
    local pid
    neap.scope(function(s)
      local task = s:spawn({ guard = true }, function()
        local child <close> = stubborn("while true; do sleep 1; done")
        pid = child.pid
      end)
      wait_for(function() return pid end)
      neap.yield()
      task:cancel()
      task:join()
      assert.is_false(is_there(pid))
    end)
  end)

  it("takes with it what it has started", function()
    local child = process.spawn({ "sh", "-c", "sleep 100 & echo $!; wait" })
    local pid = child.stdout:read()
    child:close()
    wait_for(function()     -- the system's init takes it away
      local status = neap.fs.exists("/proc/" .. pid) and neap.fs.read("/proc/" .. pid .. "/stat")
      return not status or status:find(") Z", 1, true)
    end)
  end)

  it("ends what reads its streams when it is closed", function()
    local child = process.spawn({ "sleep", "100" })
    neap.scope(function(s)
      local reader = s:spawn({ guard = true }, child.stdout.read, child.stdout)
      neap.yield()
      child:close()
      local ok, out = reader:outcome()
      assert.is_true(ok == true and out == nil or out.kind == "closed")
    end)
  end)

  it("does not outlive the task that has forgotten it", function()
    local child
    neap.scope(function(s)
      s:spawn(function() child = process.spawn({ "sleep", "100" }) end)
    end)
    assert.are.same({ nil, "SIGTERM" }, { child:wait() })
  end)

  it("is not started by a cancelled task", function()
    local child
    neap.scope(function(s)
      s:cancel()
      pcall(function() child = process.spawn({ "true" }) end)
    end)
    assert.is_nil(child)
  end)

  it("that cannot be started leaves no descriptor open", function()
    local function count()
      collectgarbage()
      neap.sleep("1ms")
      return #neap.fs.list("/proc/self/fd")
    end
    local before = count()
    for _ = 1, 20 do pcall(process.spawn, { "no-such-program" }) end
    assert.are.equal(before, count())
  end)

  it("ends for the thread of the loop: no other one takes its signal", function()
    local SIGCHLD, open = 17, 0
    neap.fs.exists("/")         -- threads for files are there
    for _, id in ipairs(neap.fs.list("/proc/self/task")) do
      local file = io.open("/proc/self/task/" .. id .. "/status")
      local blocked = file and tonumber(file:read("a"):match("SigBlk:%s*(%x+)"), 16)
      if file then file:close() end
      if blocked and blocked >> (SIGCHLD - 1) & 1 == 0 then open = open + 1 end
    end
    assert.are.equal(1, open)
  end)
end)
