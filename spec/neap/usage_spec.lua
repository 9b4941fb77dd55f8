local neap = require("neap")
local test = require("neap.test")

-- The message of the mistake that a call is: behind the line that is blamed.
local function message_of(fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.are.equal("usage", err.kind)
  local line, message = err.message:match("^[^:]+usage_spec%.lua:(%d+): (.*)$")
  assert.is_not_nil(line, err.message)
  return message
end

-- Methods and options of which a wrong argument is refused, each as a script writes it.
local MISTAKES = {
  { "neap.scope: deadline", function() neap.scope({ deadline = {} }) end },
  { "neap.scope: deadline_at", function() neap.scope({ deadline_at = "x" }) end },
  { "neap.scope: either deadline", function() neap.scope({ deadline = 1, deadline_at = 1 }) end },
  { "neap.scope: unknown option", function() neap.scope({ guards = true }) end },
  { "neap.scope: unknown option", function() neap.scope({ op = "neap.scope" }) end },
  { "neap.scope: function expected", function() neap.scope({}, 1) end },
  { "neap.supervisor: deadline", function() neap.supervisor({ deadline = "soon" }) end },
  { "neap.supervisor: deadline_at", function() neap.supervisor({ deadline_at = "soon" }) end },
  { "neap.supervisor: either deadline", function() neap.supervisor({ deadline = 1, deadline_at = 1 }) end },
  { "neap.supervisor: restart: period", function()
    neap.supervisor({ restart = { period = "x" } }, print)
  end },
  { "neap.supervisor: restart: unknown strategy", function()
    neap.supervisor({ restart = { strategy = "x" } }, print)
  end },
  { "neap.timeout: ", function() neap.timeout({}, print) end },
  { "neap.timeout_or: ", function() neap.timeout_or("1s") end },
  { "neap.shield: ", function() neap.shield(math.huge, print) end },
  { "neap.sleep: ", function() neap.sleep("x") end },
  { "neap.random: m", function() neap.random(-1) end },
  { "neap.try: ", function() neap.try(1) end },
  { "neap.with: ", function() neap.with(1, print) end },
  { "neap.error: kind", function() neap.error(1, "x") end },
  { "neap.error: message", function() neap.error("x", 1) end },
  { "neap.error: unknown option", function() neap.error("x", "y", { cod = 1 }) end },
  { "neap.defer: ", function() neap.defer(1) end },
  { "neap.suspend: ", function() neap.suspend(1) end },
  { "neap.main: ", function() neap.main(1) end },
  { "neap.exit: status", function() neap.exit("x") end },
  { "neap.signals: ", function() neap.signals("SIGKILL") end },
  { "neap.all: ", function() neap.all(1) end },
  { "neap.any: ", function() neap.any({}) end },
  { "neap.race: ", function() neap.race({}) end },
  { "neap.quorum: ", function() neap.quorum("x", {}) end },
  { "neap.settle: ", function() neap.settle(1) end },
  { "neap.map: ", function() neap.map({}, 1) end },
  { "neap.channel: capacity", function() neap.channel("x") end },
  { "neap.channel: capacity", function() neap.channel { capacity = -1 } end },
  { "neap.channel: one argument", function() neap.channel(1, { on_full = "drop_oldest" }) end },
  { "neap.channel: on_full", function() neap.channel { on_full = "x" } end },
  { "neap.channel: on_full", function() neap.channel { on_full = "drop_oldest" } end },
  { "neap.channel: on_undelivered", function() neap.channel { on_undelivered = 1 } end },
  { "neap.broadcast: capacity", function() neap.broadcast { capacity = "x" } end },
  { "neap.broadcast: on_full", function() neap.broadcast { on_full = "x" } end },
  { "neap.semaphore: slots", function() neap.semaphore(0) end },
  { "neap.condition: ", function() neap.condition(1) end },
  { "neap.latch: count", function() neap.latch(-1) end },
  { "neap.barrier: parties", function() neap.barrier(0) end },
  { "neap.select: ", function() neap.select {} end },
  { "neap.after: ", function() neap.after("x") end },
  { "neap.flow: ", function() neap.flow(1) end },
  { "neap.flow.from: ", function() neap.flow.from(1) end },
  { "neap.work: ", function() neap.work(1) end },
  { "neap.blocking: ", function() neap.blocking(1) end },
  { "neap.isolates: count", function() neap.isolates(0, "x") end },
  { "neap.isolates: module", function() neap.isolates(1, 1) end },
  { "neap.isolates: capacity", function() neap.isolates(1, "x", { capacity = 0 }) end },
  { "neap.saga: ", function() neap.saga(1) end },
  { "neap.saga: timeout", function() neap.saga({ timeout = "x" }, print) end },
  { "neap.step: retry: attempts", function() neap.step("a", { retry = { attempts = 0 } }, print) end },
  { "neap.step: retry: on", function() neap.step("a", { retry = { on = 1 } }, print) end },
  { "neap.step: retry: base", function() neap.step("a", { retry = { base = {} } }, print) end },
  { "neap.step: retry: elapsed", function() neap.step("a", { retry = { elapsed = "x" } }, print) end },
  { "neap.step: timeout", function() neap.step("a", { timeout = "x" }, print) end },
  { "neap.reject: code", function() neap.reject(1) end },
  { "neap.retry_after: ", function() neap.retry_after("x") end },
  { "neap.pivot: ", function() neap.pivot() end },
  { "neap.json.encode: max_depth", function() neap.json.encode({}, { max_depth = 0 }) end },
  { "neap.json.encode: indent", function() neap.json.encode({}, { indent = 99 }) end },
  { "neap.json.decode: string expected", function() neap.json.decode(1) end },
  { "neap.json.decode: max_bytes", function() neap.json.decode("1", { max_bytes = 0 }) end },
  { "neap.json.lines: max_depth", function() neap.json.lines("1", { max_depth = 0 }) end },
  { "neap.json.lines: name", function() neap.json.lines("1", { name = 1 }) end },
  { "neap.json.array: ", function() neap.json.array(1) end },
  { "neap.fs.read: path", function() neap.fs.read(1) end },
  { "neap.fs.write: data", function() neap.fs.write("x", 1) end },
  { "neap.fs.rename: to", function() neap.fs.rename("x", 1) end },
  { "neap.fs.read: max_bytes", function() neap.fs.read("x", { max_bytes = "x" }) end },
  { "neap.fs.write: mode", function() neap.fs.write("x", "y", { mode = 9 }) end },
  { "neap.process.run: ", function() neap.process.run {} end },
  { "neap.process.run: grace", function() neap.process.run { "true", grace = "x" } end },
  { "neap.process.spawn: cwd", function() neap.process.spawn { "true", cwd = 1 } end },
  { "neap.test.schedules: ", function() test.schedules("x", print) end },

  { "scope:spawn: function expected", function() neap.app:spawn(1) end },
  { "scope:spawn: function expected", function() neap.app:spawn({}, 1) end },
  { "scope:spawn: unknown option", function() neap.app:spawn({ nam = 1 }, print) end },
  { "scope:spawn: name", function() neap.app:spawn({ name = 1 }, print) end },
  { "scope:spawn: the scope has ended", function()
    neap.scope(function(s) return s end):spawn(print)
  end },
  { "scope:start: ", function() neap.app:start(1) end },
  { "scope:actor: ", function() neap.app:actor(1) end },
  { "scope:extend: ", function() neap.app:extend("x") end },
  { "scope:result: ", function() neap.scope(function(s) s:result() end) end },
  { "scope:close: ", function() neap.scope(function(s) s:close() end) end },
  { "actor:tell: ", function() neap.scope(function(s) s:actor({}):tell("x") end) end },
  { "actor:ask: ", function() neap.scope(function(s) s:actor({}):ask("x") end) end },
  { "channel:send: ", function() neap.channel(1):send() end },
  { "channel:send: ", function() neap.channel(1):try_send() end },
  { "channel:on_send: ", function() neap.channel(1):on_send() end },
  { "channel:on_recv: function expected", function() neap.channel(1):on_recv(1) end },
  { "channel:recv_within: ", function() neap.channel(1):recv_within("x") end },
  { "broadcast:publish: ", function() neap.broadcast():publish() end },
  { "state:changed: ", function() neap.state(1):changed("x") end },
  { "deferred:reject: ", function() neap.deferred():reject() end },
  { "deferred:on_await: ", function() neap.deferred():on_await(1) end },
  { "mutex:lock: ", function()
    local m = neap.mutex()
    local _ <close> = m:lock()
    m:lock()
  end },
  { "mutex:on_lock: ", function() neap.mutex():on_lock(1) end },
  { "semaphore:acquire: n", function() neap.semaphore(1):acquire(2) end },
  { "semaphore:try_acquire: n", function() neap.semaphore(1):try_acquire(2) end },
  { "semaphore:on_acquire: n", function() neap.semaphore(1):on_acquire(2) end },
  { "rwlock:read: ", function()
    local lock = neap.rwlock()
    local _ <close> = lock:read()
    lock:read()
  end },
  { "event:on_wait: ", function() neap.event():on_wait(1) end },
  { "latch:count_down: n", function() neap.latch(1):count_down(-1) end },
  { "condition:wait: ", function() neap.condition(neap.mutex()):wait() end },
  { "condition:notify: n", function() neap.condition(neap.mutex()):notify(-1) end },
  { "flow:map: ", function() neap.flow(print):map(1) end },
  { "flow:timeout: ", function() neap.flow(print):timeout("x") end },
  { "flow:chunk: within", function() neap.flow(print):chunk(1, { within = "x" }) end },
  { "flow:debounce: ", function() neap.flow(print):debounce("x") end },
  { "flow:sample: ", function() neap.flow(print):sample("x") end },
  { "flow:retry: base", function() neap.flow(print):retry { base = "x" } end },
  { "stream:read: ", function() neap.stdin:read(-1) end },
  { "stream:read: max_line", function() neap.stdin:read("line", { max_line = "x" }) end },
  { "stream:lines: max_line", function() neap.stdin:lines { max_line = "x" } end },
}

describe("a mistake in a call", function()
  it("blames the function, method or option as the script writes it, at its line", function()
    for _, mistake in ipairs(MISTAKES) do
      local prefix, fn = table.unpack(mistake)
      local message = message_of(fn)
      assert.are.equal(prefix, message:sub(1, #prefix))
    end
  end)

  it("that would wait where Lua cannot names the function that would", function()
    local waits = {
      ["neap.sleep"] = function() neap.sleep(1) end,
      ["channel:recv"] = function() neap.channel():recv() end,
      ["task:await"] = function() neap.app:spawn(print):await() end,
      ["event:wait"] = function() neap.event():wait() end,
      ["neap.select"] = function() neap.select { neap.after(1) } end,
      ["neap.process.run"] = function() neap.process.run { "true" } end,
      ["neap.fs.read"] = function() neap.fs.read("x") end,
      ["neap.scope"] = function() neap.scope(print) end,
    }
    for name, wait in pairs(waits) do
      local prefix = name .. ": cannot suspend inside "
      local message = message_of(function() table.sort({ 1, 2 }, wait) end)
      assert.are.equal(prefix, message:sub(1, #prefix))
    end
  end)
end)

describe("leaving a scope by hand where Lua cannot suspend", function()
  it("raises usage, and the scope stays open", function()
    local has_run = false
    local s <close> = neap.scope()
    s:spawn(function() has_run = true end)
    local places = {
      ["table.sort"] = function(fn) table.sort({ 1, 2 }, fn) end,
      ["string.gsub"] = function(fn) string.gsub("x", "x", fn) end,
      ["tostring"] = function(fn) tostring(setmetatable({}, { __tostring = fn })) end,
    }
    for name, call in pairs(places) do
      local prefix = "scope:close: cannot suspend inside " .. name .. ", called at "
      local message = message_of(function() call(function() s:close() end) end)
      assert.are.equal(prefix, message:sub(1, #prefix))
    end
    assert.is_false(has_run)
    s:close()
    assert.is_true(has_run)
  end)
end)
