--- Run a script in virtual time, so that it can be run thousands of times (scripts/oom):
--- neap run spec/oom/virtual.lua FILE [ARGUMENTS]

require("neap.core.test").begin()
local path = table.remove(arg, 1)
rawset(arg, 0, path)
package.path = path:match("^.*/") .. "?.lua;" .. package.path
return assert(loadfile(path, "t"))(table.unpack(arg))
