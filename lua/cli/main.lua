--- The command line: what `neap ARGS...` does. Runs as the root task.

local host = require("neap.core.host")

local path = ...
if path == "test" then
  host.stop(require("cli.test").run({ select(2, ...) }))
  return
end
local neap = require("neap")
local chunk = assert(loadfile(path, "t"))
local ok, err = neap.raw.pcall(neap.scope, { name = "main" }, function()
  chunk()
end)
if not ok then
  io.stderr:write("neap: ", tostring(err), "\n", host.traceback(err) or "", "\n")
end
host.stop(ok and 0 or 1)
