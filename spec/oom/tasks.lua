--- Whatever request for memory is refused (scripts/oom): what is raised says so, and nothing
--- stays behind, neither a task nor an open scope nor what was bound. Exits with status 3 and
--- a sentence otherwise; a task that nobody wakes is a deadlock.

local neap = require("neap")
require("neap.core.test").begin()

local function forever() neap.sleep(math.huge) end
local function fail() error("boom", 0) end
local function fail_later()
  neap.sleep(0.01)
  error("boom", 0)
end

-- What each raises when nothing is refused: a kind, an error, or nothing.
local shapes = {
  { "a scope", nil, function()
    neap.scope(function(s)
      s:spawn(neap.sleep, 0.01)
      s:spawn({ name = "lazy", lazy = true }, forever)
    end)
  end },
  { "a block", nil, function()
    local s = neap.scope({ name = "block", deadline = 1 })
    s:spawn(neap.sleep, 0.01)
    s:close()
  end },
  { "a scope whose body fails", "boom", function()
    neap.scope({ name = "body" }, function(s)
      s:spawn(forever)
      neap.yield()
      fail()
    end)
  end },
  { "a scope whose task fails", "boom", function()
    neap.scope(function(s)
      s:spawn(forever)
      s:spawn(fail_later)
      s:spawn({ guard = true }, fail_later)
    end)
  end },
  { "a scope that forgets one inside", "structure", function()
    neap.scope(function()
      neap.scope():spawn(forever)
      neap.yield()
    end)
  end },
  { "a scope that is cancelled", nil, function()
    neap.scope(function(s)
      s:spawn(forever)
      neap.yield()
      s:cancel("enough")
    end)
  end },
  { "a task that is awaited", "boom", function()
    neap.scope(function(s)
      local ok, err = s:spawn({ guard = true }, fail_later):outcome()
      assert(not ok)
      error(err, 0)
    end)
  end },
  { "a task with many results", nil, function()
    neap.scope(function(s)
      local a, b, c = s:spawn({ guard = true }, function() return 1, 2, 3 end):await()
      assert(a == 1 and b == 2 and c == 3)
    end)
  end },
  { "a timeout", "timeout", function() neap.timeout(0.01, forever) end },
  { "a shield", "timeout", function() neap.shield(0.01, forever) end },
  { "a binding", "boom", function() neap.with({ id = 1 }, neap.with, { inner = 2 }, fail_later) end },
  { "a join of a task from elsewhere", "boom", function()
    neap.scope(function(s) neap.all({ s:spawn(forever), fail_later }) end)
  end },
  { "a race with a task from elsewhere", "boom", function()
    neap.scope(function(s) neap.race({ s:spawn({ guard = true }, forever), fail_later }) end)
  end },
  { "a task that gets ready", nil, function()
    neap.scope(function(s)
      s:start(function(ready) ready(1) end)
    end)
  end },
  { "an actor", nil, function()
    neap.scope(function(s)
      local a = s:actor({ n = 0, add = function(self, n) self.n = self.n + n end,
        get = function(self) return self.n end })
      a:tell("add", 2)
      assert(a:ask("get") == 2)
    end)
  end },
  { "an actor that is cancelled", nil, function()
    neap.scope(function(outer)
      neap.scope(function(s)
        local a = s:actor({ wait = forever, get = forever })
        outer:spawn(pcall, a.ask, a, "wait")
        outer:spawn(pcall, a.ask, a, "get")
        neap.sleep(0.01)
        s:cancel()
      end)
    end)
  end },
  { "a supervisor", "failed", function()
    neap.supervisor({ on_error = function() end,
      restart = { strategy = "one_for_all", intensity = 1, shutdown = 1 } }, function(s)
      s:spawn(forever)
      s:spawn(fail_later)
    end)
  end },
  { "files", nil, function()
    local dir <close> = neap.fs.temp_dir()
    local path = dir.path .. "/a"
    neap.fs.write(path, "one\ntwo\n")
    neap.fs.rename(path, dir.path .. "/b")
    assert(#neap.fs.list(dir.path) == 1)
    local file = neap.fs.open(dir.path .. "/b")
    assert(file:read() == "one")
    file:close()
  end },
  { "a child process", nil, function() assert(neap.process.run({ "true" }).status == 0) end },
}

local function is_memory(err)
  return tostring(err):find("not enough memory", 1, true) ~= nil
end

local function complain(name, message, ...)
  io.stderr:write(name, ": ", message:format(...), "\n")
  neap.exit(3)
end

-- Before it begins something has been printed: from then on lack of memory is an error that
-- is raised, and ends no process by itself.
neap.main(function()
  print("begun")
  io.stdout:flush()
  local refused
  for _, shape in ipairs(shapes) do
    local name, expected, fn = table.unpack(shape, 1, 3)
    local ok, err = pcall(fn)
    if not ok and is_memory(err) then
      refused = err
    elseif (not ok and (type(err) == "table" and err.kind or err) or nil) ~= expected then
      complain(name, "raised %s", tostring(err))
    end
    if #neap.tasks().children > 0 then complain(name, "left a task behind") end
    if neap.context.id or neap.context.inner then complain(name, "left a binding behind") end
  end
  if refused then error(refused, 0) end
end)
