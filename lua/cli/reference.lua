--- The reference of the public library, read from the comments of its source.
---
--- What an editor shows and what `neap help` prints is one text: the `---` comments with
--- the annotations of LuaLS. A file is read line by line, and a comment belongs to the
--- declaration right below it. Names are those that a person writes:
---
---     neap.map        a function of a module, `function map.map` or `function neap.map`
---     channel:send    a method of class neap.Channel, its own or inherited
---     channel         the class
---     neap.json       the module, with the comment at the head of its file
---     neap.work.stats what a module has that `neap` does not hand on: it is written
---                     `require("neap.work").stats`
---
--- A module is listed if `neap` has something by its name, or if it has something that is
--- reached by requiring it alone.
---
--- `---@private`, `@protected` or `@package` leaves a declaration out, and so do two
--- underscores before its name. At the head of a file `@package` makes it a part of the
--- library's inside, as neap.core is: what it declares shows where a public name hands it on,
--- and classes through those that inherit from them.

local comment = require("cli.reference.comment")
local neap = require("neap")
local page = require("cli.reference.page")

local reference = {}

---@class cli.Entry
---@field name string
---@field written? string  How a script reaches it, if not by its name.
---@field kind "function"|"method"|"value"|"class"|"module"
---@field text string  Markdown.
---@field params table[]  `{ name, type, text, optional }`
---@field returns table[]  `{ name, type, text }`
---@field overloads string[]
---@field fields table[]  Of a class: as params.
---@field members cli.Entry[]  Of a class or module.
---@field type? string  Of a value.
---@field async boolean

-- Files --------------------------------------------------------------------------------

---@class cli.ReferenceFile
---@field module string
---@field owners table<string, string>  Local tables that are a class or a module, by name.
---@field required table<string, string>  Locals that hold a module.
---@field found table[]  Declarations: `{ owner, separator, name, doc, arguments }`.
---@field classes table[]  `{ name, parents, doc }`
---@field text string  The comment at its head.
---@field aliases table[]  `{ owner, name, target }`: names without a comment of their own; without
---  an owner they belong to the module.
---@field inside? boolean  No name of it is public by itself.
---@field extends? string  The module that it adds to, and returns.
---@field constructed? string  The table whose constructor the lines are in.

local function module_of(path)
  local name = path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  return name
end

-- The declaration on a line, joined with those after it until its parentheses close.
local function declaration(lines, i)
  local line = lines[i]
  if line:find("^function ") then
    while not line:find(")", 1, true) and lines[i + 1] do
      i = i + 1
      line = line .. " " .. lines[i]:match("^%s*(.*)$")
    end
    local owner, separator, name, arguments = line:match("^function ([%w_]+)([.:])([%w_]+)%s*%(([^)]*)%)")
    return owner, separator, name, arguments
  end
  local owner, name = line:match("^([%a_][%w_]*)%.([%a_][%w_]*)%s*=")
  return owner, ".", name, nil
end

-- `owner.name = value` without a comment of its own: a module under another name, or what
-- a module has, of which its own comment tells.
local function note_value(file, owner, name, value)
  -- What the module loads when it is asked for: `all = { "neap.join", "all" }`.
  local lazy, member = value:match('^{ "([%w_.]+)",? ?"?([%w_]*)"? }$')
  if lazy then
    local target = member == "" and lazy or lazy .. "." .. member
    file.aliases[#file.aliases + 1] = { name = name, target = target }
    return
  end
  local module, rest = value:match('^require%("([%w_.]+)"%)%.?(.*)$')
  if not module then
    module, rest = file.required[value], ""
    if not module then
      local holder
      holder, rest = value:match("^([%w_.]+)%.([%w_]+)$")
      module = file.required[holder]
    end
  end
  if not module then return end
  if rest == "" then file.required[owner .. "." .. name] = module end
  local target = rest == "" and module or module .. "." .. rest
  file.aliases[#file.aliases + 1] = { owner = owner, name = name, target = target }
end

-- Such values, assigned or in the constructor of a table at the start of a line.
local function note_values(file, line)
  local opened = line:match("^local ([%a_][%w_]*) = {$")
  if opened or line:find("^}") then file.constructed = opened end
  local name, value = line:match("^  ([%a_][%w_]*) = (.-),?%s*$")
  local owner = name and file.constructed
  if not owner then owner, name, value = line:match("^([%a_][%w_]*)%.([%a_][%w_]*) = (.-)%s*$") end
  if owner then note_value(file, owner, name, value) end
end

local function note_code(file, lines, i, doc)
  local line = lines[i]
  local holder, module = line:match('^local ([%a_][%w_]*) = require%("([%w_.]+)"%)%s*$')
  if holder then file.required[holder] = module end
  local returned = line:match("^return ([%a_][%w_]*)%s*$") or line:match("^return setmetatable%(([%a_][%w_]*)")
  if returned and file.required[returned] then
    file.extends = file.required[returned]
  elseif returned and not file.owners[returned] then
    file.owners[returned] = file.module
  end

  if not doc then return note_values(file, line) end
  if doc.class then
    doc.class.doc = doc
    file.classes[#file.classes + 1] = doc.class
    local variable = line:match("^local ([%a_][%w_]*) =") or line:match("^local ([%a_][%w_]*)%s*$")
    if variable then file.owners[variable] = doc.class.name end
    return
  end
  local owner, separator, name, arguments = declaration(lines, i)
  if owner and name and not name:find("^__") and not doc.private then
    file.found[#file.found + 1] = { owner = owner, separator = separator, name = name,
      arguments = arguments, doc = doc }
  end
end

-- Read one file of the library. Waits.
local function read_file(path, source)
  local file = { module = module_of(path), owners = {}, required = {}, found = {}, classes = {},
    aliases = {}, text = "" }
  local lines, block = {}, nil
  for line in (source .. "\n"):gmatch("(.-)\r?\n") do lines[#lines + 1] = line end

  local head = true
  for i, line in ipairs(lines) do
    if i % 100 == 1 then neap.yield() end     -- on a busy machine a file takes long
    local text = line:match("^%-%-%-(.*)$")
    if text then
      block = block or {}
      block[#block + 1] = text
    else
      local doc = block and comment.read(block)
      if doc and head and doc.private then file.inside = true end
      if doc and doc.meta then file.module = doc.meta:match("^%S*") end
      if doc and head and not doc.class and not line:find("%S") then file.text = doc.text end
      if block or line:find("%S") then head = head and doc and doc.meta ~= nil or false end
      if doc and doc.class and not line:find("%S") then
        doc.class.doc = doc
        file.classes[#file.classes + 1] = doc.class
      elseif line:find("%S") then
        note_code(file, lines, i, doc)
      end
      block = nil
    end
  end
  return file
end

-- The index ----------------------------------------------------------------------------

local function is_core(name)
  return name:find("^neap%.core%.") ~= nil
end

-- What a table is known by, when the names in it are public.
local PUBLIC = "neap"

-- A class has objects, a module has not: their names differ by the first letter.
local function object_name(class_name)
  local last = class_name:match("([%w_]+)$")
  return last:find("^%u") and last:lower() or nil
end

local function entry(kind, name, doc)
  return { kind = kind, name = name, text = doc.text or "", params = doc.params or {},
    returns = doc.returns or {}, overloads = doc.overloads or {}, fields = doc.fields or {},
    type = doc.type, async = doc.async or false, members = {} }
end

---@class cli.Reference
---@field entries table<string, cli.Entry[]>  By name in lower case.
---@field list cli.Entry[]  Sorted by name.
---@field classes table<string, table>
---@field aliases table<string, string>  From a name in lower case to another.
---@field core table<string, table>  Declarations of neap.core.*: public under other names.
local Reference = {}
Reference.__index = Reference

local function add(self, made)
  local key = made.name:lower()
  local known = self.entries[key]
  if not known then
    known = {}
    self.entries[key] = known
  end
  known[#known + 1] = made
  self.list[#self.list + 1] = made
end

local function kind_of(found, method)
  if method then return "method" end
  local callable = found.arguments or found.doc.callable or #found.doc.params > 0
  return callable and "function" or "value"
end

-- Put each declaration of a file where its owner is: into a class or under the module.
local function place(self, file, modules)
  for _, found in ipairs(file.found) do
    local owner = file.owners[found.owner] or found.owner == "neap" and "neap"
    local class = owner and self.classes[owner]
    if class and object_name(owner) then
      class.found[#class.found + 1] = found
    elseif owner and (is_core(owner) or file.inside) then
      self.core[owner .. "." .. found.name] = found
    elseif owner then
      local made = entry(kind_of(found), owner .. "." .. found.name, found.doc)
      add(self, made)
      local module = modules[owner]
      if module then module.members[#module.members + 1] = made end
    end
  end
end

-- Whether a name is free for a declaration: one may be called as the module that has it.
local function is_free(self, name)
  for _, made in ipairs(self.entries[name:lower()] or {}) do
    if made.kind ~= "module" then return false end
  end
  return true
end

-- Give what has two names the comment of the one that has it. Of a function that `neap`
-- has this is its public name: it is listed under that alone.
local function place_alias(self, name, owner, target, modules)
  local found, made = self.core[target], self.entries[target:lower()]
  if found and is_free(self, name) then
    made = entry(kind_of(found), name, found.doc)
    add(self, made)
    local module = modules[owner]
    if module then module.members[#module.members + 1] = made end
  elseif found or not made or owner ~= PUBLIC then
    self.aliases[name:lower()] = target
  else
    self.entries[name:lower()] = self.entries[name:lower()] or {}
    for _, each in ipairs(made) do
      if each.kind == "module" then
        self.aliases[name:lower()] = target
      elseif each.kind ~= "class" then
        each.name = name
        table.insert(self.entries[name:lower()], each)
      end
      if modules[owner] and each.kind ~= "class" then table.insert(modules[owner].members, each) end
    end
  end
end

local function place_aliases(self, files, modules)
  local targets, extends, list, is_public = {}, {}, {}, {}
  for _, file in ipairs(files) do
    extends[file.module] = file.extends
    for _, alias in ipairs(file.aliases) do
      local owner = alias.owner and file.owners[alias.owner] or not alias.owner and file.module
      if owner and not is_core(owner) then
        local name = owner .. "." .. alias.name
        targets[name] = alias.target
        if not file.inside then list[#list + 1] = { name = name, owner = owner } end
      end
    end
  end

  -- The next name on the way to the comment, or nil.
  local function next_of(name)
    local module, member = name:match("^(.*)%.([%w_]+)$")
    return targets[name] or extends[module] and extends[module] .. "." .. member
  end
  local function place_list(public)
    for _, alias in ipairs(list) do
      if (alias.owner == PUBLIC) == public and not is_public[alias.name] then
        local target, steps = targets[alias.name], 0
        while next_of(target) and steps < 10 do
          if public then is_public[target] = true end
          target, steps = next_of(target), steps + 1
        end
        if target ~= alias.name then place_alias(self, alias.name, alias.owner, target, modules) end
      end
    end
  end
  place_list(true)
  place_list(false)
end

-- What `neap` has by each of its names.
local function public_names(files)
  local names = {}
  for _, file in ipairs(files) do
    for _, alias in ipairs(file.aliases) do
      local owner = alias.owner and file.owners[alias.owner] or not alias.owner and file.module
      if owner == PUBLIC then names[PUBLIC .. "." .. alias.name] = alias.target end
    end
  end
  return names
end

local function remove(self, made)
  local named = self.entries[made.name:lower()]
  for _, list in ipairs({ self.list, named }) do
    for i = #list, 1, -1 do
      if list[i] == made then table.remove(list, i) end
    end
  end
end

-- Say how what a module has is reached; leave out modules that nobody can ask for.
local function settle_modules(self, files, modules)
  local public = public_names(files)
  for module, made in pairs(modules) do
    local is_named = module == PUBLIC or public[module] or not is_free(self, module)
    local is_whole = module == PUBLIC or public[module] == module
    local required, has_own = ("require(%q)"):format(module), false
    for _, member in ipairs(made.members) do
      if member.name:sub(1, #module + 1) == module .. "." then
        has_own = true
        if not is_whole then member.written = required .. member.name:sub(#module + 1) end
      end
    end
    if not is_named and has_own then
      made.written = required
    elseif not is_named then
      remove(self, made)
    end
  end
end

-- The methods and fields of a class and of all that it inherits from; nearer ones first.
local function inherited(self, class, methods, fields, seen)
  if seen[class.name] then return end
  seen[class.name] = true
  for _, found in ipairs(class.found) do
    methods[#methods + 1] = found
  end
  for _, field in ipairs(class.doc.fields) do fields[#fields + 1] = field end
  for _, parent in ipairs(class.parents) do
    if self.classes[parent] then inherited(self, self.classes[parent], methods, fields, seen) end
  end
end

local function add_class(self, class)
  local name = object_name(class.name)
  if not name then return end
  local methods, fields = {}, {}
  inherited(self, class, methods, fields, {})
  local made = entry("class", name, class.doc)
  made.fields = fields
  local known = {}
  for _, found in ipairs(methods) do
    if not known[found.name] then
      known[found.name] = true
      local method = entry(kind_of(found, found.separator == ":"), name .. ":" .. found.name, found.doc)
      made.members[#made.members + 1] = method
      add(self, method)
    end
  end
  -- A class without methods is a table of options: it shows where it is a parameter.
  if #made.members > 0 then add(self, made) end
end

--- Read the library.
---@async
---@param files { name: string, source: string }[]  Names as in "neap/json.lua", "meta/chan.lua".
---@return cli.Reference
function reference.read(files)
  local self = setmetatable({ entries = {}, list = {}, classes = {}, aliases = {}, core = {} }, Reference)
  local read, modules, heirs = {}, {}, {}
  for _, named in ipairs(files) do
    local file = read_file(named.name, named.source)
    read[#read + 1] = file
    for _, class in ipairs(file.classes) do
      class.found, class.inside = {}, file.inside
      self.classes[class.name] = self.classes[class.name] or class
      for _, parent in ipairs(class.parents) do
        if not is_core(class.name) then heirs[parent] = true end
      end
    end
    if not is_core(file.module) and not file.inside and file.text ~= "" then
      modules[file.module] = entry("module", file.module, { text = file.text })
      add(self, modules[file.module])
    end
  end
  for _, file in ipairs(read) do place(self, file, modules) end
  place_aliases(self, read, modules)
  settle_modules(self, read, modules)
  for name, class in pairs(self.classes) do
    if not class.inside and not (is_core(name) and heirs[name]) then add_class(self, class) end
  end
  table.sort(self.list, function(a, b)
    if a.name ~= b.name then return a.name < b.name end
    return a.kind < b.kind
  end)
  return self
end

--- Find what a name stands for.
---@param topic string  With or without "neap."; `channel.send` is taken for `channel:send`,
---  and `send` for the methods of that name if there is nothing else.
---@return cli.Entry[] entries  Empty if there is none.
function Reference:find(topic)
  local name = topic:lower()
  local found, seen = {}, {}
  local function take(key)
    for _, made in ipairs(self.entries[key] or self.entries[(self.aliases[key] or ""):lower()] or {}) do
      if not seen[made] then
        seen[made] = true
        found[#found + 1] = made
      end
    end
  end
  take(name)
  take("neap." .. name)
  take((name:gsub("^neap%.", ""):gsub("%.", ":")))
  if #found == 0 then
    for _, made in ipairs(self.list) do
      if made.kind == "method" and made.name:match(":(.*)$"):lower() == name then take(made.name:lower()) end
    end
  end
  return found
end

--- All names, for suggestions and completion.
---@return string[]
function Reference:names()
  local names, seen = {}, {}
  for _, made in ipairs(self.list) do
    if not seen[made.name] then
      seen[made.name] = true
      names[#names + 1] = made.name
    end
  end
  return names
end

--- Write an entry as Markdown.
---@param made cli.Entry
---@return string
function Reference:markdown(made)
  return page.write(made, function(class_name)
    local class = self.classes[class_name]
    -- A class without methods is a table of options.
    if not class or #class.found > 0 then return {} end
    local fields = {}
    inherited(self, class, {}, fields, {})
    return fields
  end)
end

--- Write the whole reference as one Markdown text.
---@return string
function Reference:whole()
  local pieces = { "# Reference\n" }
  for _, made in ipairs(self.list) do pieces[#pieces + 1] = self:markdown(made) end
  return table.concat(pieces, "\n")
end

return reference
