--- Runs busted specs inside the host: each `it` is a task, in virtual time.
---
--- busted's own runner would parse the command line, seed the machine's chance and leave
--- the process. Only its core is used: the tree of specs and how it is walked.

local core = require("neap.core.test")
local host = require("neap.core.host")
local neap = require("neap")
local report = require("cli.report")
local scopes = require("neap.core.scope")
local test = require("neap.test")
local tree = require("cli.tree")

local specs = {}

---@class cli.specs.Problem
---@field name string      Of the spec, with what surrounds it.
---@field message string
---@field traceback string?
---@field repeat_with string?  The command that repeats it, if it ran under a seed.

---@class cli.specs.Result
---@field passed integer
---@field failed integer
---@field skipped integer
---@field problems cli.specs.Problem[]
---@field ran string[]  Of each that passed: its file, a tab, its name.

-- Busted forgets modules that a file of specs has loaded. One of C must not be opened
-- twice: what is loaded before busted begins stays.
local function load_library()
  for name in pairs(package.preload) do
    if name:find("^neap%.") then require(name) end
  end
  for _, file in ipairs(host.embedded_list()) do
    local name = file:match("^(neap/.*)%.lua$")
    if name then require((name:gsub("/init$", ""):gsub("/", "."))) end
  end
end

-- What replaces the functions of `os` that tell the time.
local Clock = {}

function Clock.time(date)
  if date ~= nil then return neap.raw.os.time(date) end
  return math.floor(neap.now())
end

function Clock.date(format, at)
  return neap.raw.os.date(format or "%c", at or Clock.time())
end

function Clock.clock()
  return core.is_real() and neap.raw.os.clock() or core.elapsed()
end

local function begin_spec(seed)
  test.seed = seed
  core.seed(seed or 0, seed ~= nil)
  math.randomseed(seed or 0)
end

local function name_of(busted, element)
  local names = {}
  while element and element.descriptor ~= "file" and element.descriptor ~= "suite" do
    table.insert(names, 1, tostring(element.name or element.descriptor))
    element = busted.context.parent(element)
  end
  return table.concat(names, " ")
end

-- busted's stack of elements is left as it is by a task that is cancelled: how deep it is.
local function count_depth(context)
  local depth = 0
  local push, pop = context.push, context.pop
  function context.push(element)
    push(element)
    depth = depth + 1
  end
  function context.pop()
    depth = depth - 1
    pop()
  end
  return function() return depth end
end

---@class cli.specs.Run
---@field ok boolean?
---@field err any
---@field scope neap.Scope?
---@field deadlock string?     What every task waited for, when none could go on.
---@field stray any            The first failure of a task in `neap.app`.

-- The run that is under way.
local current

local function on_deadlock()
  local root = neap.tasks()
  if not current or not current.scope or current.deadlock then
    io.stderr:write("neap test: ", tree.deadlock(root))
    return false
  end
  current.deadlock = tree.deadlock(root.children[1], table.unpack(root.children, 2))
  return current.scope:cancel("deadlock")
end

-- Call `fn` in a task. The scope around it is `neap.app`.
local function run_task(name, fn, ...)
  local run = {}
  local task
  local function on_done(done)
    if done ~= task and done:status() == "failed" and run.stray == nil then
      run.stray = select(2, done:result())
    end
  end
  current = run
  run.ok, run.err = scopes.open_with({ guards = true, hook = { on_done = on_done } }, function(s, ...)
    run.scope, neap.app = s, s
    task = s:spawn({ name = name }, fn, ...)
    return task:outcome()
  end, ...)
  current = nil
  return run
end

-- What is wrong with a run that has ended, or nil.
local function fault_of(run)
  if run.deadlock then return (run.deadlock:gsub("\n$", "")) end
  if run.stray ~= nil then return tostring(run.stray) end
  return not run.ok and tostring(run.err) or nil
end

-- An error outside of the spec itself.
local function publish_error(busted, descriptor, name, fault, err)
  busted.publish({ "error", descriptor }, { descriptor = descriptor, name = name }, nil, fault,
    { message = err })
end

-- An executor of busted's `it` that runs the spec, with what stands before and after each,
-- in a task. When that is cut off by a deadlock, busted is told, and what stands after
-- each runs in a task of its own.
local function in_task(busted, executor)
  local block = require("busted.block")(busted)
  local context = busted.context
  local depth = count_depth(context)

  return function(element)
    local parent = context.parent(element)
    local name = name_of(busted, element)
    local before = depth()
    element.starttick, element.endtick = nil, nil
    local run = run_task(name, executor, element)
    local fault = fault_of(run)
    if not fault then return end

    while depth() > before do context.pop() end
    if element.endtick then     -- it had passed, but for what it left in neap.app
      return publish_error(busted, "neap.app", name, fault, run.stray)
    end
    if element.starttick then
      busted.publish({ "failure", "it" }, element, parent, fault, element.trace)
      busted.safe_publish("test", { "test", "end" }, element, parent, "failure")
    else
      publish_error(busted, "before_each", name, fault)
    end
    fault = fault_of(run_task(name, block.dexecAll, "after_each", parent, true))
    while depth() > before do context.pop() end
    if fault then publish_error(busted, "after_each", name, fault) end
  end
end

-- An executor that calls another one under each of the seeds, until it fails under one;
-- without seeds once, FIFO.
local function under_seeds(executor, seeds, result)
  return function(element)
    if not seeds then
      begin_spec(nil)
      return executor(element)
    end
    local failed = result.failed
    for seed = seeds.first, seeds.last do
      begin_spec(seed)
      executor(element)
      if result.failed > failed then break end
    end
  end
end

local function new_busted(seeds, result)
  local busted = require("busted.core")()
  local safe = busted.safe
  function busted.safe(...)
    core.renew()
    return safe(...)
  end
  -- There is no place to tell when the error came without one: lack of memory.
  local get_trace = busted.getTrace
  function busted.getTrace(element, level, message)
    local ok, trace = neap.raw.pcall(get_trace, element, (level or 3) + 2, message)
    if ok then return trace end
    trace = element.trace or { short_src = "?", currentline = 0 }
    return { short_src = trace.short_src, currentline = trace.currentline, message = message, traceback = "" }
  end
  local register = busted.register
  function busted.register(descriptor, executor, attributes)
    if descriptor == "it" then executor = under_seeds(in_task(busted, executor), seeds, result) end
    return register(descriptor, executor, attributes)
  end
  require("busted")(busted)
  busted.register = register
  return busted
end

-- Where an error began says more than where its scope raised it again. Of that the
-- script's own lines are of interest.
local function traceback_of(trace)
  local text = trace and (trace.message ~= nil and host.traceback(trace.message) or trace.traceback)
  return type(text) == "string" and report.traceback(text) or nil
end

local function watch(busted, result, opts)
  local progress = opts.progress
  local path
  local counted       -- the spec whose failure has been counted
  local function fail(element)
    if element.descriptor == "it" and element == counted then return end
    counted = element
    result.failed = result.failed + 1
    busted.skipAll = opts.fail_fast
  end
  local function problem(element, _, message, trace)
    result.problems[#result.problems + 1] = {
      name = element.descriptor and name_of(busted, element) or "",
      repeat_with = test.seed and ("neap test --seed %d %s"):format(test.seed, path or ""),
      message = tostring(message),
      traceback = traceback_of(trace),
    }
    fail(element)
    return nil, true
  end
  busted.subscribe({ "error" }, problem)
  busted.subscribe({ "failure" }, problem)
  busted.subscribe({ "file", "start" }, function(file)
    path = file.name
    progress(path .. " ")
    return nil, true
  end)
  busted.subscribe({ "file", "end" }, function()
    progress("\n")
    return nil, true
  end)
  local shown
  busted.subscribe({ "test", "start" }, function()
    counted = nil
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function(element, _, status)
    local mark = "."
    if status == "success" then
      result.passed = result.passed + 1
      if element ~= shown then result.ran[#result.ran + 1] = path .. "\t" .. element.name end
    elseif status == "pending" then
      result.skipped = result.skipped + 1
      mark = "s"
    else
      fail(element)
      mark = "F"
    end
    -- One mark a spec, under however many seeds it passes.
    if element ~= shown or mark ~= "." then progress(mark) end
    shown = element
    return nil, true
  end)
end

---@class cli.specs.Options
---@field seeds { first: integer, last: integer }?  Run each spec under each of these: the
---  order of the ready tasks, and all chance, is drawn from it. Otherwise FIFO.
---@field filter string?       A pattern that the name of a spec has to match.
---@field fail_fast boolean?   Run no further spec once one has failed.
---@field progress fun(text: string)

--- Run the specs of files and folders.
---@async
---@param paths string[]
---@param opts cli.specs.Options
---@return cli.specs.Result
function specs.run(paths, opts)
  local result = { passed = 0, failed = 0, skipped = 0, problems = {}, ran = {} }
  load_library()
  core.begin()
  for name, fn in pairs(Clock) do rawset(os, name, fn) end

  host.on_deadlock(on_deadlock)
  local busted = new_busted(opts.seeds, result)
  watch(busted, result, opts)
  require("busted.modules.filter_loader")()(busted,
    { filter = { opts.filter }, excludeTags = opts.seeds and { "fifo" } or {} })
  require("busted.modules.test_file_loader")(busted, { "lua" })(paths, { "_spec%.lua$" },
    { excludes = {}, recursive = true })
  require("busted.execute")(busted)(1, {})
  return result
end

return specs
