--- Files and directories, without blocking.
--- Every call waits on a thread of the host's pool (16 threads, or as many as
--- `UV_THREADPOOL_SIZE` says), so that other tasks go on. What the system refuses is
--- raised as an error of kind `io` whose `code` is the system's name: `ENOENT`, `EACCES`.
---
--- A cancelled task goes on at once. What the system had begun for it goes on by itself:
--- a cancelled write, rename or removal may take place or not.

local errors = require("neap.core.error")
local file = require("neap.core.file")
local options = require("neap.options")

local fs = {}

-- Of `read`: a mistyped path of a disk image should be an error, not the end of the memory.
local MAX_BYTES = 1 << 30
local MAX_NAMES = 1000000

-- Permissions as people write them.
local function mode_of(what, mode)
  if mode == nil then return nil end
  if type(mode) ~= "string" or not mode:find("^[0-7][0-7][0-7][0-7]?$") then
    errors.usage(("%s: mode: octal digits in a string expected, as \"644\", got %s")
      :format(what, tostring(mode)))
  end
  return tonumber(mode, 8)
end

local READ = { "max_bytes" }

--- Read all of a file.
--- Pipes and sockets are refused (`ESPIPE`): see `neap.stdin` and `neap.process`.
---@async
---@param path string
---@param opts? { max_bytes: integer? }  A longer file raises kind `limit`; by default 1 GiB.
---@return string
function fs.read(path, opts)
  opts = options.check("neap.fs.read", opts, READ)
  return file.read(path, opts.max_bytes or MAX_BYTES)
end

local WRITE = { "append", "mode" }

--- Make a file of `data`, or add to one.
--- A crash, or a full disk, can leave a part: `fs.replace` is for what must be whole.
---@async
---@param path string
---@param data string
---@param opts? { append: boolean?, mode: string? }  `append`: write behind what is there.
---  `mode`: permissions of a new file, `"666"` by default, less the process's umask.
function fs.write(path, data, opts)
  opts = options.check("neap.fs.write", opts, WRITE)
  file.write(path, data, opts.append, mode_of("neap.fs.write", opts.mode))
end

local REPLACE = { "mode" }

--- Make a file of `data` at once: a reader finds the old bytes or the new ones, never a part.
--- When it returns, the new ones survive a crash of the machine. If it raises, the file is as
--- it was. It is done by a new file in the same directory, renamed after its bytes are on the
--- disk; a file that was there keeps its mode and owner, a symbolic link goes on leading to it.
--- A link that leads to nothing raises `ENOENT`. What is no file is refused: a directory
--- (`EISDIR`), a pipe or a socket (`ESPIPE`), a device (`EFTYPE`).
---@async
---@param path string
---@param data string
---@param opts? { mode: string? }  Permissions, exactly. By default those of the old file, or
---  `"666"` less the umask.
function fs.replace(path, data, opts)
  opts = options.check("neap.fs.replace", opts, REPLACE)
  file.replace(path, data, mode_of("neap.fs.replace", opts.mode))
end

--- Open a file to read it in parts.
--- Close it by `<close>` or `close()`; one that was read to its end is closed by itself.
---@async
---@nodiscard
---@param path string
---@return neap.Stream stream  Closable.
function fs.open(path)
  return file.open(path)
end

local LINES = { "max_line" }

--- Walk over the lines of a file, without their `\n` or `\r\n`.
--- The loop may be left at any time: a file that was not read to its end is then closed when
--- the collector finds it. Raises what `fs.read` raises, and kind `limit` for a line that is
--- too long.
---@async
---@param path string
---@param opts? { max_line: integer? }  The longest line, in bytes; by default 1 MiB.
---@return async fun(): string?
---@nodiscard
function fs.lines(path, opts)
  opts = options.check("neap.fs.lines", opts, LINES)
  -- No closing value: a loop whose variable a function captures does not handle it.
  return file.open(path):lines(opts)
end

local STAT = { "follow" }

--- What stands at a path; `nil, "not_found"` if nothing does.
---@async
---@param path string
---@param opts? { follow: boolean? }  `false`: tell about a symbolic link itself.
---@return neap.fs.Stat? stat
---@return "not_found"? reason
function fs.stat(path, opts)
  opts = options.check("neap.fs.stat", opts, STAT)
  local ok, stat = pcall(file.stat, path, opts.follow == false)
  if ok then return stat end
  if errors.is(stat, "io") and (stat.code == "ENOENT" or stat.code == "ENOTDIR") then
    return nil, "not_found"
  end
  error(stat, 0)
end

---@class neap.fs.Stat
---@field type "file"|"directory"|"link"|"pipe"|"socket"|"device"
---@field size integer  Bytes.
---@field mode string  Permissions in octal: `"644"`.
---@field mtime number  When its bytes were last changed, in seconds since the epoch.

--- Whether something stands at a path.
---@async
---@param path string
---@return boolean
function fs.exists(path)
  return fs.stat(path) ~= nil
end

local LIST = { "recursive", "max_names" }

--- The names in a directory, sorted by their bytes, without `.` and `..`.
---@async
---@param path string
---@param opts? { recursive: boolean?, max_names: integer? }  `recursive`: also what is in
---  directories inside it, as `"a/b"`, to a depth of 256; symbolic links are named, not
---  followed. More than `max_names`, 1,000,000 by default, raise kind `limit`.
---@return string[]
function fs.list(path, opts)
  opts = options.check("neap.fs.list", opts, LIST)
  return file.list(path, opts.recursive, opts.max_names or MAX_NAMES)
end

local MKDIR = { "mode" }

--- Make a directory, and those it stands in. One that is there already will do.
---@async
---@param path string
---@param opts? { mode: string? }  Permissions, `"777"` by default, less the umask.
function fs.mkdir(path, opts)
  opts = options.check("neap.fs.mkdir", opts, MKDIR)
  file.mkdir(path, mode_of("neap.fs.mkdir", opts.mode))
end

local REMOVE = { "recursive" }

--- Remove a file, a link, or an empty directory.
---@async
---@param path string
---@param opts? { recursive: boolean? }  A directory with all that is in it, to a depth of 256.
function fs.remove(path, opts)
  opts = options.check("neap.fs.remove", opts, REMOVE)
  file.remove(path, opts.recursive)
end

--- Give a file or directory another name, in place of what has it.
--- Both must be on one file system (`EXDEV`).
---@async
---@param from string
---@param to string
function fs.rename(from, to)
  file.rename(from, to)
end

---@class neap.fs.TempDir
---@field path string
local TempDir = {}
TempDir.__index = TempDir

--- Remove the directory and all that is in it; harmless if repeated.
---@async
function TempDir:remove()
  if fs.exists(self.path) then fs.remove(self.path, { recursive = true }) end
end

-- Also in a cancelled task, which removes under a shield.
function TempDir:__close()
  require("neap").shield("10s", self.remove, self)
end

--- Make a new directory in `$TMPDIR`, or `/tmp`: `local dir <close> = neap.fs.temp_dir()`.
---@async
---@nodiscard
---@return neap.fs.TempDir dir  `dir.path`; `dir:remove()`, or `<close>`, removes it.
function fs.temp_dir()
  local base = os.getenv("TMPDIR") or "/tmp"
  return setmetatable({ path = file.mkdtemp(base .. "/neap-XXXXXX") }, TempDir)
end

return fs
