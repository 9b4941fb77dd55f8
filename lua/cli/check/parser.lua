--- Read Lua 5.4 source as a tree.
---
--- `parser.statements(source)` gives one statement of the main chunk after another, so
--- that a checker forgets each before it asks for the next: a long source costs time
--- in proportion to its length, and memory for its longest statement.
---
--- A node is a table with a `tag`, and `pos` and `stop`, its first and last byte:
---
---     Name       name                    Local          variables, values
---     String     value, or nil           LocalFunction  variable, value
---     Constant   number, nil, boolean    Assign         targets, values
---     Vararg     ...                     CallStatement  call
---     Table      items, fields           Do While Repeat If For Return Function: see
---     Function   parameters, body          the functions below
---     Index      object, key, dot
---     Call       callee, arguments       a variable is { name, pos, stop, attribute }
---     Method     object, name, arguments, name_pos
---     Operation  operands, in the order of the source: no rule looks at precedence
---     Paren      value
---
--- Constants have no position and are one shared node. A chain such as `a.b(c).d` nests
--- to the left, as deep as it is long: walk down it by a loop.

local lexer = require("cli.check.lexer")

local parser = {}

---@class cli.check.Parser
---@field source string
---@field kind string  The current token ...
---@field start integer
---@field stop integer
---@field value string?
---@field last integer  ... and where the one before it ended.
local Parser = {}
Parser.__index = Parser

local CONSTANT, VARARG = { tag = "Constant" }, { tag = "Vararg" }
local CONSTANTS = { [lexer.NUMBER] = true, ["nil"] = true, ["true"] = true, ["false"] = true }

local UNARY = { ["-"] = true, ["not"] = true, ["#"] = true, ["~"] = true }
local BINARY = {}
for operator in ("+ - * / // % ^ .. == ~= < <= > >= and or & | ~ << >>"):gmatch("%S+") do
  BINARY[operator] = true
end

local BLOCK_ENDS = { ["else"] = true, ["elseif"] = true, ["end"] = true, ["until"] = true,
  [lexer.EOF] = true }

function Parser:advance()
  self.last = self.stop
  self.kind, self.start, self.stop, self.value = lexer.next(self.source, self.stop + 1)
end

function Parser:fail(expected)
  lexer.fail(self.start, expected .. " expected")
end

-- Is the current token of this kind? Then go past it.
function Parser:accept(kind)
  if self.kind ~= kind then return false end
  self:advance()
  return true
end

function Parser:expect(kind)
  if self.kind ~= kind then self:fail(kind) end
  self:advance()
end

-- A name as a new variable or as whatever else carries its place.
function Parser:name()
  if self.kind ~= lexer.NAME then self:fail(lexer.NAME) end
  local name = { tag = "Name", name = self.value, pos = self.start, stop = self.stop }
  self:advance()
  return name
end

function Parser:string()
  local node = { tag = "String", value = self.value, pos = self.start, stop = self.stop }
  self:advance()
  return node
end

function Parser:expressions()
  local list = { self:expression() }
  while self:accept(",") do list[#list + 1] = self:expression() end
  return list
end

function Parser:field(node)
  if self:accept("[") then
    local key = self:expression()
    self:expect("]")
    self:expect("=")
    node.fields[#node.fields + 1] = { key = key, value = self:expression() }
    return
  end
  if self.kind == lexer.NAME and lexer.next(self.source, self.stop + 1) == "=" then
    local key = { tag = "String", value = self.value, pos = self.start, stop = self.stop }
    self:advance()
    self:advance()
    node.fields[#node.fields + 1] = { key = key, value = self:expression() }
    return
  end
  node.items[#node.items + 1] = self:expression()
end

function Parser:table()
  local node = { tag = "Table", pos = self.start, items = {}, fields = {} }
  self:expect("{")
  while self.kind ~= "}" do
    self:field(node)
    if not (self:accept(",") or self:accept(";")) then break end
  end
  self:expect("}")
  node.stop = self.last
  return node
end

-- Parameters and body; `method` puts `self` in front.
function Parser:function_body(pos, method)
  local node = { tag = "Function", pos = pos, parameters = {} }
  if method then
    node.parameters[1] = { tag = "Name", name = "self", pos = pos, stop = pos }
  end
  self:expect("(")
  if self.kind ~= ")" then
    repeat
      if self:accept("...") then break end
      node.parameters[#node.parameters + 1] = self:name()
    until not self:accept(",")
  end
  self:expect(")")
  node.body = self:block()
  self:expect("end")
  node.stop = self.last
  return node
end

function Parser:arguments()
  if self.kind == lexer.STRING then return { self:string() } end
  if self.kind == "{" then return { self:table() } end
  self:expect("(")
  local list = self.kind == ")" and {} or self:expressions()
  self:expect(")")
  return list
end

local CALLS = { ["("] = true, ["{"] = true, [lexer.STRING] = true }

-- A name or parenthesis with all that is appended to it.
function Parser:suffixed()
  local node
  local pos = self.start
  if self:accept("(") then
    node = { tag = "Paren", pos = pos, value = self:expression() }
    self:expect(")")
    node.stop = self.last
  elseif self.kind == lexer.NAME then
    node = self:name()
  else
    lexer.fail(pos, "unexpected symbol")
  end

  while true do
    if self:accept(".") then
      local name = self:name()
      node = { tag = "Index", pos = pos, object = node, dot = true,
        key = { tag = "String", value = name.name, pos = name.pos, stop = name.stop } }
    elseif self:accept("[") then
      node = { tag = "Index", pos = pos, object = node, key = self:expression() }
      self:expect("]")
    elseif self:accept(":") then
      local name = self:name()
      if not CALLS[self.kind] then self:fail("function arguments") end
      node = { tag = "Method", pos = pos, object = node, name = name.name,
        name_pos = name.pos, arguments = self:arguments() }
    elseif CALLS[self.kind] then
      node = { tag = "Call", pos = pos, callee = node, arguments = self:arguments() }
    else
      return node
    end
    node.stop = self.last
  end
end

function Parser:operand()
  while UNARY[self.kind] do self:advance() end

  local kind, pos = self.kind, self.start
  if CONSTANTS[kind] then
    self:advance()
    return CONSTANT
  elseif kind == lexer.STRING then
    return self:string()
  elseif kind == "..." then
    self:advance()
    return VARARG
  elseif kind == "{" then
    return self:table()
  elseif self:accept("function") then
    return self:function_body(pos)
  end
  return self:suffixed()
end

function Parser:expression()
  local pos = self.start
  local unary = UNARY[self.kind]
  local first = self:operand()
  if not BINARY[self.kind] then
    return unary and { tag = "Operation", pos = pos, operands = { first } } or first
  end

  local operands = { first }
  while BINARY[self.kind] do
    self:advance()
    operands[#operands + 1] = self:operand()
  end
  return { tag = "Operation", pos = pos, stop = self.last, operands = operands }
end

-- Statements up to one of the words that end a block.
function Parser:block()
  local list = {}
  while not BLOCK_ENDS[self.kind] do
    list[#list + 1] = self:statement()
  end
  return list
end

local STATEMENTS = {}

STATEMENTS["if"] = function(self)
  local node = { tag = "If", conditions = {}, blocks = {} }
  repeat -- past `if` or `elseif`
    self:advance()
    node.conditions[#node.conditions + 1] = self:expression()
    self:expect("then")
    node.blocks[#node.blocks + 1] = self:block()
  until self.kind ~= "elseif"
  if self:accept("else") then node.blocks[#node.blocks + 1] = self:block() end
  self:expect("end")
  return node
end

STATEMENTS["while"] = function(self)
  self:advance()
  local node = { tag = "While", condition = self:expression() }
  self:expect("do")
  node.body = self:block()
  self:expect("end")
  return node
end

STATEMENTS["do"] = function(self)
  self:advance()
  local node = { tag = "Do", body = self:block() }
  self:expect("end")
  return node
end

STATEMENTS["for"] = function(self)
  self:advance()
  local node = { tag = "For", variables = { self:name() } }
  if not self:accept("=") then
    while self:accept(",") do node.variables[#node.variables + 1] = self:name() end
    if self.kind ~= "in" then self:fail("'=' or 'in'") end
    self:advance()
  end
  node.values = self:expressions()
  self:expect("do")
  node.body = self:block()
  self:expect("end")
  return node
end

STATEMENTS["repeat"] = function(self)
  self:advance()
  local node = { tag = "Repeat", body = self:block() }
  self:expect("until")
  node.condition = self:expression()
  return node
end

STATEMENTS["function"] = function(self)
  local pos = self.start
  self:advance()
  local target, method = self:name(), false
  while self.kind == "." or self.kind == ":" do
    method = self.kind == ":"
    self:advance()
    local name = self:name()
    target = { tag = "Index", pos = target.pos, stop = name.stop, object = target, dot = true,
      key = { tag = "String", value = name.name, pos = name.pos, stop = name.stop } }
    if method then break end
  end
  return { tag = "Assign", targets = { target }, values = { self:function_body(pos, method) } }
end

STATEMENTS["local"] = function(self)
  local pos = self.start
  self:advance()
  if self:accept("function") then
    local variable = self:name()
    return { tag = "LocalFunction", variable = variable, value = self:function_body(pos) }
  end

  local node = { tag = "Local", variables = {}, values = {} }
  repeat
    local variable = self:name()
    node.variables[#node.variables + 1] = variable
    if self:accept("<") then
      variable.attribute = self:name().name
      self:expect(">")
    end
  until not self:accept(",")
  if self:accept("=") then node.values = self:expressions() end
  return node
end

STATEMENTS["return"] = function(self)
  self:advance()
  local node = { tag = "Return", values = {} }
  if not BLOCK_ENDS[self.kind] and self.kind ~= ";" then node.values = self:expressions() end
  self:accept(";")
  if not BLOCK_ENDS[self.kind] then self:fail(lexer.EOF) end
  return node
end

-- What says nothing about names: one node for all.
local NOTHING = { tag = "Nothing" }

STATEMENTS[";"] = function(self)
  self:advance()
  return NOTHING
end

STATEMENTS["break"] = STATEMENTS[";"]

STATEMENTS["::"] = function(self)
  self:advance()
  self:name()
  self:expect("::")
  return NOTHING
end

STATEMENTS["goto"] = function(self)
  self:advance()
  self:name()
  return NOTHING
end

function Parser:statement()
  local special = STATEMENTS[self.kind]
  if special then return special(self) end

  local first = self:suffixed()
  if self.kind ~= "=" and self.kind ~= "," then
    if first.tag ~= "Call" and first.tag ~= "Method" then
      lexer.fail(self.start, "syntax error")
    end
    return { tag = "CallStatement", call = first }
  end

  local node = { tag = "Assign", targets = { first } }
  while self:accept(",") do node.targets[#node.targets + 1] = self:suffixed() end
  for _, target in ipairs(node.targets) do
    if target.tag ~= "Name" and target.tag ~= "Index" then
      lexer.fail(self.start, "syntax error")
    end
  end
  self:expect("=")
  node.values = self:expressions()
  return node
end

--- Walk over the statements of the main chunk.
--- The iterator raises `{ pos =, message = }` where the source is no Lua.
---@param source string  Without a first line that begins with `#`.
---@return fun(): table?  The next statement, nil after the last.
function parser.statements(source)
  local self = setmetatable({ source = source, stop = 0 }, Parser)
  local started = false
  return function()
    if not started then
      started = true
      self:advance()
    end
    if self.kind == lexer.EOF then return nil end
    if BLOCK_ENDS[self.kind] then self:fail(lexer.EOF) end
    return self:statement()
  end
end

return parser
