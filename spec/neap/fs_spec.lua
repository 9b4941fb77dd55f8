local fs = require("neap.fs")
local neap = require("neap")

-- Call `fn` and return the error that it raises.
local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("neap.fs", function()
  local dir

  before_each(function() dir = fs.temp_dir() end)
  after_each(function() dir:remove() end)

  local function at(name) return dir.path .. "/" .. name end

  describe("read and write", function()
    it("give back every byte", function()
      local bytes = {}
      for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
      local data = table.concat(bytes):rep(1000)
      fs.write(at("f"), data)
      assert.are.equal(data, fs.read(at("f")))
      fs.write(at("f"), "")
      assert.are.equal("", fs.read(at("f")))
    end)

    it("add to a file with append", function()
      fs.write(at("f"), "one", { append = true })
      fs.write(at("f"), "two", { append = true })
      assert.are.equal("onetwo", fs.read(at("f")))
    end)

    it("give a new file the permissions that were asked for", function()
      fs.write(at("f"), "", { mode = "600" })
      assert.are.equal("600", fs.stat(at("f")).mode)
      local err = raised(fs.write, at("f"), "", { mode = "rw" })
      assert.are.equal("usage", err.kind)
    end)

    it("raise io with the system's name of the error", function()
      fs.write(at("f"), "")
      for path, code in pairs({
        [at("missing")] = "ENOENT", [dir.path] = "EISDIR", [at("f/below")] = "ENOTDIR",
        [at(("x"):rep(300))] = "ENAMETOOLONG",
      }) do
        local err = raised(fs.read, path)
        assert.are.equal("io", err.kind)
        assert.are.equal(code, err.code)
        assert.is_truthy(err.message:find("neap.fs.read " .. path, 1, true))
      end
      assert.are.equal("ENOENT", raised(fs.write, at("no/f"), "").code)
    end)

    it("raise when the disk is full", function()
      local err = raised(fs.write, "/dev/full", "x")
      assert.are.equal("ENOSPC", err.code)
      assert.are.equal("neap.fs.write /dev/full: no space left on the disk", err.message)
    end)

    it("refuse a file that is larger than max_bytes, and read one that is not", function()
      fs.write(at("f"), "12345")
      assert.are.equal("12345", fs.read(at("f"), { max_bytes = 5 }))
      local err = raised(fs.read, at("f"), { max_bytes = 4 })
      assert.are.equal("limit", err.kind)
      assert.is_truthy(err.message:find("max_bytes", 1, true))
      assert.are.equal("limit", raised(fs.read, "/dev/zero", { max_bytes = 100000 }).kind)
    end)

    it("read files that do not tell their size", function()
      assert.is_true(#fs.read("/proc/self/status") > 0)
    end)

    it("refuse a pipe, which would hold a thread", function()
      assert.are.equal(0, neap.process.run({ "mkfifo", at("pipe") }).status)
      assert.are.equal("ESPIPE", raised(fs.read, at("pipe")).code)
    end)

    it("refuse a zero byte in a path, in the caller's line", function()
      local err = raised(fs.read, "a\0b")
      assert.are.equal("usage", err.kind)
      assert.is_truthy(err.message:find("^[^:]*fs_spec.lua:%d+: neap.fs.read: the path has a zero byte"))
    end)

    it("refuse an unknown option and what is no string", function()
      assert.is_truthy(raised(fs.read, at("f"), { max_byte = 1 }).message:find('did you mean "max_bytes"?', 1, true))
      assert.are.equal("usage", raised(fs.write, at("f")).kind)
      assert.are.equal("usage", raised(fs.read, 1).kind)
    end)

    it("let others run", function()
      fs.write(at("f"), ("x"):rep(1000000))
      local order = {}
      neap.scope(function(s)
        s:spawn(function()
          fs.read(at("f"))
          order[#order + 1] = "read"
        end)
        s:spawn(function() order[#order + 1] = "other" end)
      end)
      assert.are.same({ "other", "read" }, order)
    end)

    it("let a cancelled task go on at once", function()
      fs.write(at("f"), "x")
      neap.scope(function(s)
        local reader = s:spawn({ guard = true }, fs.read, at("f"))
        local writer = s:spawn({ guard = true }, fs.write, at("g"), ("x"):rep(1000000))
        neap.yield()
        reader:cancel()
        writer:cancel()
        neap.yield()
        assert.are.equal("cancelled", reader:status())
        assert.are.equal("cancelled", writer:status())
      end)
      assert.are.equal("x", fs.read(at("f")))
    end)

    it("return what was there before the cancellation", function()
      fs.write(at("f"), "x")
      local got
      neap.scope(function(s)
        local reader = s:spawn(function() got = fs.read(at("f")) end)
        neap.yield()
        while reader:status() == "waiting" do neap.yield() end
        reader:cancel()
      end)
      assert.are.equal("x", got)
    end)

    it("do nothing in a task that is cancelled already", function()
      neap.scope(function(s)
        s:cancel()
        pcall(fs.write, at("f"), "x")
      end)
      assert.is_false(fs.exists(at("f")))
    end)
  end)

  describe("replace", function()
    it("makes a file, and replaces one", function()
      fs.replace(at("f"), "old")
      fs.replace(at("f"), "new")
      assert.are.equal("new", fs.read(at("f")))
      assert.are.same({ "f" }, fs.list(dir.path))
    end)

    it("gives the file exactly the permissions that are asked for", function()
      fs.write(at("f"), "")
      fs.replace(at("f"), "secret", { mode = "600" })
      assert.are.equal("600", fs.stat(at("f")).mode)
    end)

    it("refuses a directory and leaves nothing behind", function()
      fs.mkdir(at("d"))
      assert.are.equal("EISDIR", raised(fs.replace, at("d"), "x").code)
      assert.are.equal("ENOENT", raised(fs.replace, at("no/f"), "x").code)
      assert.are.same({ "d" }, fs.list(dir.path))
    end)

    it("shows every reader the whole of one version", function()
      local versions = { ("a"):rep(200000), ("b"):rep(200000) }
      fs.replace(at("f"), versions[1])
      neap.scope(function(s)
        local writer = s:spawn(function()
          for i = 1, 10 do fs.replace(at("f"), versions[i % 2 + 1]) end
        end)
        while writer:status() ~= "done" do
          local seen = fs.read(at("f"))
          assert.is_true(seen == versions[1] or seen == versions[2])
        end
      end)
    end)
  end)

  describe("lines", function()
    local function lines_of(text, opts)
      fs.write(at("f"), text)
      local found = {}
      for line in fs.lines(at("f"), opts) do found[#found + 1] = line end
      return found
    end

    it("end with a line feed, also after a carriage return, and the last one may end without", function()
      assert.are.same({ "one", "", "two\0", "three" }, lines_of("one\r\n\ntwo\0\nthree"))
      assert.are.same({ "one" }, lines_of("one\n"))
      assert.are.same({}, lines_of(""))
    end)

    it("may be longer than what is read at once", function()
      local long = ("x"):rep(300000)
      assert.are.same({ long, "short", long }, lines_of(long .. "\nshort\n" .. long .. "\n"))
    end)

    it("raise limit when one is longer than max_line, and not when it is as long", function()
      assert.are.same({ "12345" }, lines_of("12345\r\n", { max_line = 5 }))
      local err = raised(lines_of, "123456\n", { max_line = 5 })
      assert.are.equal("limit", err.kind)
      assert.is_truthy(err.message:find("max_line", 1, true))
      assert.are.equal("limit", raised(lines_of, ("x"):rep(1 << 20 | 1)).kind)
    end)

    it("may be left in the middle, also by a loop whose variable is captured", function()
      fs.write(at("f"), "1\n2\n")
      local first
      for line in fs.lines(at("f")) do
        first = function() return line end
        if line == "1" then break end
      end
      assert.are.equal("1", first())
    end)

    it("hold no small file open that was left in the middle", function()
      fs.write(at("f"), "1\n2\n")
      collectgarbage()
      local before = #fs.list("/proc/self/fd")
      collectgarbage("stop")
      for _ = 1, 10 do fs.lines(at("f"))() end
      assert.are.equal(before, #fs.list("/proc/self/fd"))
      collectgarbage("restart")
    end)

    it("raise at the call if the file cannot be read", function()
      assert.are.equal("ENOENT", raised(fs.lines, at("missing")).code)
      assert.are.equal("EISDIR", raised(fs.lines, dir.path).code)
    end)

    it("are not lost by a cancelled reader", function()
      fs.write(at("f"), "1\n2\n")
      local stream <close> = fs.open(at("f"))
      neap.scope(function(s)
        local reader = s:spawn({ guard = true }, stream.read, stream)
        neap.yield()
        reader:cancel()
      end)
      assert.are.equal("1", stream:read())
      assert.are.equal("2", stream:read())
      assert.are.same({ nil, "eof" }, { stream:read() })
    end)
  end)

  describe("a stream", function()
    it("is read by lines, by numbers of bytes, as a whole, and by what is there", function()
      fs.write(at("f"), "line\r\n12345rest")
      local stream <close> = fs.open(at("f"))
      assert.are.equal("line", stream:read("line"))
      assert.are.equal("12345", stream:read(5))
      assert.are.equal("rest", stream:read("some"))
      assert.are.same({ nil, "eof" }, { stream:read("some") })
      assert.are.same({ nil, "eof" }, { stream:read(1) })
      assert.are.equal("", stream:read("all"))
    end)

    it("gives less than a number of bytes at the end only", function()
      fs.write(at("f"), ("x"):rep(100000))
      local stream <close> = fs.open(at("f"))
      assert.are.equal(70000, #stream:read(70000))
      assert.are.equal(30000, #stream:read(70000))
    end)

    it("keeps what a limit has refused", function()
      fs.write(at("f"), "12345")
      local stream <close> = fs.open(at("f"))
      assert.are.equal("limit", raised(stream.read, stream, "all", { max_bytes = 4 }).kind)
      assert.are.equal("12345", stream:read("all", { max_bytes = 5 }))
    end)

    it("is closed for everybody, once and again", function()
      fs.write(at("f"), "12345")
      local stream = fs.open(at("f"))
      neap.scope(function(s)
        local reader = s:spawn({ guard = true }, stream.read, stream)
        neap.yield()
        stream:close()
        local ok, err = reader:outcome()
        assert.is_false(ok)
        assert.are.equal("closed", err.kind)
      end)
      stream:close()
      assert.are.equal("closed", raised(stream.read, stream).kind)
    end)

    it("has one reader at a time", function()
      fs.write(at("f"), "12345")
      local stream <close> = fs.open(at("f"))
      neap.scope(function(s)
        s:spawn(stream.read, stream)
        neap.yield()
        assert.is_truthy(raised(stream.read, stream).message:find("another task is reading", 1, true))
      end)
    end)

    it("refuses to be asked for what it does not know", function()
      fs.write(at("f"), "12345")
      local stream <close> = fs.open(at("f"))
      for _, what in ipairs({ "lines", 0, -1, 1.5, true }) do
        assert.are.equal("usage", raised(stream.read, stream, what).kind)
      end
      assert.are.equal("usage", raised(stream.write, stream, "x").kind)
    end)
  end)

  describe("stat", function()
    it("tells type, size, mode and time", function()
      local before = neap.now()
      fs.write(at("f"), "12345")
      local stat = fs.stat(at("f"))
      assert.are.equal("file", stat.type)
      assert.are.equal(5, stat.size)
      assert.is_truthy(stat.mode:find("^[0-7][0-7][0-7]$"))
      assert.is_true(stat.mtime > before)
      assert.are.equal("directory", fs.stat(dir.path).type)
      assert.are.equal("device", fs.stat("/dev/null").type)
    end)

    it("returns not_found for what is not there, and raises what else goes wrong", function()
      assert.are.same({ nil, "not_found" }, { fs.stat(at("missing")) })
      fs.write(at("f"), "")
      assert.are.same({ nil, "not_found" }, { fs.stat(at("f/below")) })
      assert.is_false(fs.exists(at("missing")))
      assert.is_true(fs.exists(at("f")))
      assert.are.equal("ENAMETOOLONG", raised(fs.exists, at(("x"):rep(300))).code)
    end)

    it("follows a symbolic link unless it is told not to", function()
      fs.write(at("f"), "")
      assert.are.equal(0, neap.process.run({ "ln", "-s", "f", at("link") }).status)
      assert.are.equal("file", fs.stat(at("link")).type)
      assert.are.equal("link", fs.stat(at("link"), { follow = false }).type)
    end)
  end)

  describe("directories", function()
    it("are made with those they stand in, once or again", function()
      fs.mkdir(at("a/b/c"))
      fs.mkdir(at("a/b/c/"))
      assert.are.equal("directory", fs.stat(at("a/b/c")).type)
      fs.write(at("f"), "")
      assert.are.equal("EEXIST", raised(fs.mkdir, at("f")).code)
      assert.are.equal("io", raised(fs.mkdir, at("f/below")).kind)
    end)

    it("are listed in order, with what is inside if that is asked for", function()
      for _, name in ipairs({ "b", "a", "c/d", "c/e/f" }) do
        fs.mkdir(at(name))
      end
      assert.are.same({ "a", "b", "c" }, fs.list(dir.path))
      assert.are.same({ "a", "b", "c", "c/d", "c/e", "c/e/f" }, fs.list(dir.path, { recursive = true }))
      assert.are.same({}, fs.list(at("a")))
      assert.are.equal(3, #fs.list(dir.path, { max_names = 3 }))
      assert.are.equal("limit", raised(fs.list, dir.path, { max_names = 2 }).kind)
      assert.are.equal("ENOENT", raised(fs.list, at("missing")).code)
    end)

    it("are not walked through symbolic links", function()
      fs.mkdir(at("a"))
      assert.are.equal(0, neap.process.run({ "ln", "-s", dir.path, at("a/loop") }).status)
      assert.are.same({ "a", "a/loop" }, fs.list(dir.path, { recursive = true }))
      fs.mkdir(at("kept"))
      fs.write(at("kept/f"), "")
      assert.are.equal(0, neap.process.run({ "ln", "-s", at("kept"), at("a/link") }).status)
      fs.remove(at("a"), { recursive = true })
      assert.are.same({ "kept", "kept/f" }, fs.list(dir.path, { recursive = true }))
    end)

    it("are removed when they are empty, or with all that is in them", function()
      fs.mkdir(at("a/b"))
      fs.write(at("a/b/f"), "")
      assert.are.equal("ENOTEMPTY", raised(fs.remove, at("a")).code)
      fs.remove(at("a"), { recursive = true })
      assert.are.same({}, fs.list(dir.path))
      assert.are.equal("ENOENT", raised(fs.remove, at("a")).code)
    end)

    it("are renamed, as files are", function()
      fs.write(at("f"), "x")
      fs.write(at("g"), "y")
      fs.rename(at("f"), at("g"))
      assert.are.same({ "g" }, fs.list(dir.path))
      assert.are.equal("x", fs.read(at("g")))
      local err = raised(fs.rename, at("f"), at("h"))
      assert.are.equal("ENOENT", err.code)
      assert.is_truthy(err.message:find(at("f") .. " to " .. at("h"), 1, true))
    end)
  end)

  it("removes a temporary directory, also in a cancelled task", function()
    local path
    neap.scope(function(s)
      s:spawn(function()
        local temp <close> = fs.temp_dir()
        path = temp.path
        fs.write(path .. "/f", "x")
        s:cancel()
        neap.sleep(1)
      end)
    end)
    assert.is_false(fs.exists(path))
  end)

  it("leaves no temporary directory behind that a cancelled task had asked for", function()
    local getenv = stub(os, "getenv", dir.path)
    neap.scope(function(s)
      for _ = 1, 20 do
        local task = s:spawn(fs.temp_dir)
        neap.yield()
        task:cancel()
      end
    end)
    getenv:revert()
    local left
    for _ = 1, 1000 do
      left = fs.list(dir.path)
      if #left == 0 then break end
    end
    assert.are.same({}, left)
  end)
end)
