---@meta neap.core.file

--- Acts on the disk, in C: see `neap.fs`, which gives names to their options. All raise
--- kind `io` with the system's name of the error as `code`.
---@class neap.core.file
local file = {}

---@async
---@param path string
---@param max_bytes integer
---@return string
function file.read(path, max_bytes) end

---@async
---@param path string
---@param data string
---@param append boolean?
---@param mode integer?
function file.write(path, data, append, mode) end

---@async
---@param path string
---@param data string
---@param mode integer?
function file.replace(path, data, mode) end

---@async
---@param path string
---@param link boolean?  Tell about a symbolic link itself.
---@return neap.fs.Stat
function file.stat(path, link) end

---@async
---@param from string
---@param to string
function file.rename(from, to) end

---@async
---@param path string
---@return neap.Stream
function file.open(path) end

---@async
---@param path string
---@param recursive boolean?
---@param max_names integer
---@return string[]
function file.list(path, recursive, max_names) end

---@async
---@param path string
---@param mode integer?
function file.mkdir(path, mode) end

---@async
---@param path string
---@param recursive boolean?
function file.remove(path, recursive) end

---@async
---@param template string  Ends with `XXXXXX`.
---@return string path
function file.mkdtemp(template) end

return file
