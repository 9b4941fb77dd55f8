--- What `neap check` looks for in a script that compiles.
---
--- The rules are the visitor of a walk (cli/check/scope). They follow values of Neap from
--- `require` through locals, fields and calls, and say nothing about a value that they
--- lose sight of: no finding rests on a guess. Such a value is noted as a fact:
---
---     type      the module or class that it is (cli/check/api)
---     member    what is known about it as a function, with `name` as a person writes it
---     variable  the local that holds it; assigned anywhere, the fact is void
---     base      the fact from which this one follows

local api = require("cli.check.api")
local options = require("neap.options")

local rules = {}

-- Places remembered of one global that is not known yet: it may be defined below.
local PLACES_OF_A_NAME = 100

---@class cli.check.Rules
---@field findings table[]  `{ pos, stop, message }`, with what voids it: `fact`, `variable`.
---@field defined table<string, boolean>  Globals that the file defines.
---@field extended table<string, boolean>  Members that the file adds to modules.
---@field unknown table<string, table>  Uses of globals, by name.
local Rules = {}
Rules.__index = Rules

function Rules:find(node, fact, message, ...)
  local finding = { pos = node.pos, stop = node.stop, fact = fact, message = message:format(...) }
  self.findings[#self.findings + 1] = finding
  return finding
end

-- Globals ------------------------------------------------------------------------------

local function standard(self, name)
  return api.globals[name] or self.spec and api.spec_globals[name]
end

-- Remember a use of a global until the whole file has been read.
local function remember(self, node, walker, assigned)
  local name = node.name
  local uses = self.unknown[name]
  if not uses then
    uses = { hint = options.hint(name, walker:names()) }
    self.unknown[name] = uses
  end
  uses.assigned = uses.assigned or assigned
  if #uses < PLACES_OF_A_NAME then
    uses[#uses + 1] = { pos = node.pos, stop = node.stop, assigned = assigned }
  end
end

function Rules:global(node, walker)
  local name = node.name
  if walker.visible._ENV then return end
  if type(api.globals[name]) == "string" then
    node.fact = { type = api.globals[name], global = name }
  elseif not standard(self, name) and not self.defined[name] and name ~= "_ENV" then
    remember(self, node, walker, false)
  end
end

function Rules:assign_global(node, walker)
  if walker.visible._ENV then return end
  if walker.depth == 0 then
    self.defined[node.name] = true
  elseif not standard(self, node.name) then
    remember(self, node, walker, true)
  end
end

-- Values -------------------------------------------------------------------------------

local function fact_of(node)
  if node.tag == "Paren" then return fact_of(node.value) end
  if node.variable then return node.variable.fact end
  return node.fact
end

-- A variable holds what is known by `fact`, for as long as nobody assigns it.
local function hold(variable, fact)
  variable.fact = fact and {
    type = fact.type, member = fact.member, name = fact.name, variable = variable, base = fact,
  }
end

-- How a person writes a member: neap.scope, scope:spawn.
local function written(type_name, name)
  if api.types[type_name].module then return type_name .. "." .. name end
  return type_name:lower() .. ":" .. name
end

-- The fact about member `name` of a value, or nil and a finding.
local function member_fact(self, node, fact, name)
  local known = api.types[fact.type]
  local member = known.members[name]
  if member then
    return { type = member.is, member = member, name = written(fact.type, name),
      owner = not known.module and fact.type, base = fact }
  end
  local finding = self:find(node, fact, 'unknown name "%s"%s', written(fact.type, name),
    options.hint(name, api.members(fact.type)))
  finding.member = fact.type .. "." .. name
  return nil
end

function Rules:index(node, target)
  local object, key = node.object, node.key
  local name = key.tag == "String" and key.value
  local fact = fact_of(object)
  if not name then return end
  if target then
    if object.tag == "Name" and object.name == "_G" and not object.variable then
      self.defined[name] = true
    elseif fact and fact.type then
      self.extended[fact.type .. "." .. name] = true
    end
  elseif fact and fact.type then
    node.fact = member_fact(self, key, fact, name)
  end
end

-- Calls --------------------------------------------------------------------------------

local function check_options(self, fact, what, known, literal)
  local set = {}
  for _, name in ipairs(known) do set[name] = true end
  for _, field in ipairs(literal.fields) do
    local key, value = field.key, field.value
    local name = key.tag == "String" and key.value
    local inside = name and known[name]
    if inside and type(inside) == "table" and value.tag == "Table" then
      check_options(self, fact, what .. " " .. name, inside, value)
    elseif name and not inside and not set[name] then
      self:find(key, fact, '%s: unknown option "%s"%s', what, name,
        options.hint(name, api.option_names(known)))
    end
  end
end

-- `s.spawn(fn)`: right only where the object is the first argument, too.
local function check_dot(self, node, fact)
  local object, first = node.callee.object, node.arguments[1]
  if not fact.owner or not object or object.tag ~= "Name" then return false end
  if first and first.tag == "Name" and first.name == object.name then return true end
  local name = node.callee.key.value
  self:find(node.callee.key, fact, '"%s.%s" is a method: write "%s:%s(...)"',
    object.name, name, object.name, name)
  return true
end

-- Does a call open a block, which only <close> or close() leaves? Without arguments or
-- with a table it does; any other argument may be a function.
local function opens_block(member, arguments)
  if not member.block then return false end
  return #arguments == 0 or #arguments == 1 and arguments[1].tag == "Table"
end

-- The fact about what is called; a method's is found here.
local function callee_fact(self, node)
  if node.tag == "Call" then return fact_of(node.callee) end
  local fact = fact_of(node.object)
  if not fact or not fact.type then return nil end
  local place = { pos = node.name_pos, stop = node.name_pos + #node.name - 1 }
  local called = member_fact(self, place, fact, node.name)
  if called and not called.owner then
    self:find(place, fact, '"%s" is a function, not a method: write "%s(...)"', called.name,
      called.name)
    return nil
  end
  return called
end

-- Before the arguments: the parameters of a body are known by what it is given to.
function Rules:enter_call(node)
  node.called = callee_fact(self, node)
  local member = node.called and node.called.member
  if not member or not member.body then return end
  for _, argument in ipairs(node.arguments) do
    if argument.tag == "Function" then
      for i, type_name in ipairs(member.body) do
        local parameter = argument.parameters[i]
        if parameter then hold(parameter, { type = type_name, base = node.called }) end
      end
    end
  end
end

local function required(node)
  local callee, first = node.callee, node.arguments[1]
  if not callee or callee.tag ~= "Name" or callee.name ~= "require" or callee.variable then
    return nil
  end
  local name = first and first.tag == "String" and first.value
  local found = name and api.types[name]
  return found and found.module and { type = name, global = "require" } or nil
end

function Rules:call(node)
  local object = node.object
  if node.tag == "Method" and node.name == "close" and object.variable then
    object.variable.closed = true
  end

  local fact = node.called
  local member = fact and fact.member
  if not member then
    node.fact = required(node)
    return
  end
  local opens = opens_block(member, node.arguments)
  -- Given a function, what opens a block returns what that function returns.
  if member.returns and (opens or not member.block) then
    node.fact = { type = member.returns, base = fact }
  end
  if node.tag == "Call" and check_dot(self, node, fact) then return end

  local at = member.options and member.at
  local literal = at and node.arguments[at]
  if literal and literal.tag == "Table" and (not member.leads or node.arguments[at + 1]) then
    check_options(self, fact, fact.name, member.options, literal)
  end
  node.opens = opens and fact or nil
end

-- Blocks -------------------------------------------------------------------------------

local function left_open(self, node, variable)
  local fact = node.opens
  if not fact then return end
  local finding = self:find(node, fact,
    'nothing leaves this scope: write "local %s <close> = %s(...)", or give it a function',
    variable and variable.name or "s", fact.name)
  finding.variable = variable
end

function Rules:bind(value, variable)
  if variable then hold(variable, fact_of(value)) end
  if not variable or variable.attribute ~= "close" then left_open(self, value, variable) end
end

function Rules:assign(value, target)
  if target.variable then left_open(self, value, target.variable) end
end

function Rules:statement(call)
  left_open(self, call, nil)
end

-- The end ------------------------------------------------------------------------------

-- A fact holds unless something it rests on was assigned or defined anew.
local function holds(self, fact)
  while fact do
    if fact.variable and fact.variable.assigned then return false end
    if fact.global and self.defined[fact.global] then return false end
    fact = fact.base
  end
  return true
end

-- The names that a misspelt global may have been: those the file assigns, and Lua's.
local function candidates(self)
  local set = {}
  for name in pairs(self.defined) do set[name] = true end
  for name in pairs(api.globals) do set[name] = true end
  for name, uses in pairs(self.unknown) do
    if uses.assigned then set[name] = true end
  end
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function hint_for(name, uses, known)
  if api.moved[name] then return "; in Lua 5.4 it is " .. api.moved[name] end
  -- One that functions assign is undefined itself, and no misspelling.
  if uses.assigned then return "" end
  return uses.hint ~= "" and uses.hint or options.hint(name, known)
end

local function find_undefined(self)
  local known
  for name, uses in pairs(self.unknown) do
    if not self.defined[name] then
      known = known or candidates(self)
      local hint = hint_for(name, uses, known)
      for _, use in ipairs(uses) do
        if use.assigned then
          self:find(use, nil, 'assigns the undefined global "%s": make it a local%s', name, hint)
        else
          self:find(use, nil, 'undefined global "%s"%s', name, hint)
        end
      end
    end
  end
end

--- What was found, once every statement has been walked.
---@return { pos: integer, stop: integer, message: string }[] findings  In the order of the source.
function Rules:finish()
  find_undefined(self)
  local found = {}
  for _, finding in ipairs(self.findings) do
    local variable = finding.variable
    local left = variable and (variable.closed or variable.escapes)
    local added = finding.member and self.extended[finding.member]
    if not left and not added and holds(self, finding.fact) then found[#found + 1] = finding end
  end
  table.sort(found, function(a, b)
    if a.pos ~= b.pos then return a.pos < b.pos end
    return a.message < b.message
  end)
  return found
end

--- Make the visitor for one file.
---@param spec boolean  Whether busted runs the file and adds its globals.
---@return cli.check.Rules
function rules.new(spec)
  return setmetatable({
    spec = spec, findings = {}, defined = {}, extended = {}, unknown = {},
  }, Rules)
end

return rules
