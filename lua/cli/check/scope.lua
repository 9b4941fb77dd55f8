--- Find out what each name of a script stands for.
---
--- A walker follows the rules of Lua for locals, and tells a visitor about everything
--- that a rule looks at, innermost first:
---
---     global(node, walker)          a global is read
---     assign_global(node, walker)   a global is assigned
---     index(node, target)           `a.b`, read, or the target of an assignment
---     enter_call(node)              a call, before its arguments are walked
---     call(node)                    a call or method call
---     bind(node, variable)          a value of `local` and its variable, or nil
---     assign(node, target)          a value of an assignment and where it goes
---     statement(node)               a call whose results nobody takes
---
--- Beside the nodes of the parser it sets `node.variable` of a name that is a local:
--- one table for all uses of that local, in which the visitor may keep what it learns.
--- `variable.assigned` tells that it is assigned after its declaration, `variable.escapes`
--- that its value goes where it cannot be followed: passed, stored or returned.

local scope = {}

---@class cli.check.Walker
---@field visitor table
---@field visible table<string, table>  The variable that a name stands for here.
---@field declared table[]  All that are in scope, with what each hides.
---@field depth integer  How many functions are around: 0 in the main chunk.
local Walker = {}
Walker.__index = Walker

function Walker:declare(variable)
  local declared = self.declared
  declared[#declared + 1] = { variable = variable, hidden = self.visible[variable.name] }
  self.visible[variable.name] = variable
end

-- Leave a block: the variables since `mark` go, what they hid comes back.
function Walker:leave(mark)
  local declared = self.declared
  for i = #declared, mark + 1, -1 do
    self.visible[declared[i].variable.name] = declared[i].hidden
    declared[i] = nil
  end
end

function Walker:block(statements)
  local mark = #self.declared
  for _, statement in ipairs(statements) do self:statement(statement) end
  self:leave(mark)
end

function Walker:expressions(list)
  for _, node in ipairs(list) do self:expression(node) end
end

function Walker:name(node)
  node.variable = self.visible[node.name]
  if not node.variable then self.visitor:global(node, self) end
end

-- A name that is an expression by itself, and not the first link of a chain.
function Walker:value(node)
  self:name(node)
  if node.variable then node.variable.escapes = true end
end

function Walker:arguments(node)
  self.visitor:enter_call(node)
  self:expressions(node.arguments)
  self.visitor:call(node)
end

-- A chain `a.b(c):d(e)`: down to its first link by a loop, for it may be longer than
-- the stack is deep, then back up.
local LINKS = { Index = "object", Call = "callee", Method = "object" }

function Walker:chain(node, target)
  local links = {}
  while LINKS[node.tag] do
    links[#links + 1] = node
    node = node[LINKS[node.tag]]
  end
  if node.tag == "Name" then self:name(node) else self:expression(node) end
  for i = #links, 1, -1 do
    local link = links[i]
    if link.tag == "Index" then
      self:expression(link.key)
      self.visitor:index(link, target and i == 1)
    else
      self:arguments(link)
    end
  end
end

local EXPRESSIONS = {
  Name = Walker.value,
  Index = Walker.chain,
  Call = Walker.chain,
  Method = Walker.chain,

  Paren = function(self, node) self:expression(node.value) end,
  Operation = function(self, node) self:expressions(node.operands) end,

  Table = function(self, node)
    self:expressions(node.items)
    for _, field in ipairs(node.fields) do
      self:expression(field.key)
      self:expression(field.value)
    end
  end,

  Function = function(self, node)
    local mark = #self.declared
    self.depth = self.depth + 1
    for _, parameter in ipairs(node.parameters) do self:declare(parameter) end
    self:block(node.body)
    self.depth = self.depth - 1
    self:leave(mark)
  end,
}

function Walker:expression(node)
  local walk = EXPRESSIONS[node.tag]
  if walk then walk(self, node) end
end

local STATEMENTS = {
  CallStatement = function(self, node)
    self:expression(node.call)
    self.visitor:statement(node.call)
  end,

  -- The new names stand for nothing before the whole statement has been read.
  Local = function(self, node)
    self:expressions(node.values)
    for i, value in ipairs(node.values) do self.visitor:bind(value, node.variables[i]) end
    for _, variable in ipairs(node.variables) do self:declare(variable) end
  end,

  LocalFunction = function(self, node)
    self:declare(node.variable)
    self:expression(node.value)
  end,

  -- Values first, so that what they are is known when they meet their targets.
  Assign = function(self, node)
    self:expressions(node.values)
    for i, target in ipairs(node.targets) do
      if target.tag == "Index" then
        self:chain(target, true)
      else
        target.variable = self.visible[target.name]
        if target.variable then
          target.variable.assigned = true
        else
          self.visitor:assign_global(target, self)
        end
      end
      if node.values[i] then self.visitor:assign(node.values[i], target) end
    end
  end,

  Do = function(self, node) self:block(node.body) end,
  Return = function(self, node) self:expressions(node.values) end,

  While = function(self, node)
    self:expression(node.condition)
    self:block(node.body)
  end,

  -- The condition sees the locals of the body.
  Repeat = function(self, node)
    local mark = #self.declared
    for _, statement in ipairs(node.body) do self:statement(statement) end
    self:expression(node.condition)
    self:leave(mark)
  end,

  If = function(self, node)
    for i, block in ipairs(node.blocks) do
      if node.conditions[i] then self:expression(node.conditions[i]) end
      self:block(block)
    end
  end,

  For = function(self, node)
    self:expressions(node.values)
    local mark = #self.declared
    for _, variable in ipairs(node.variables) do self:declare(variable) end
    self:block(node.body)
    self:leave(mark)
  end,
}

function Walker:statement(node)
  local walk = STATEMENTS[node.tag]
  if walk then walk(self, node) end
end

--- The locals that can be seen where the walker stands.
---@return string[] names  Sorted.
function Walker:names()
  local names = {}
  for name in pairs(self.visible) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Make a walker for the statements of one main chunk.
---@param visitor table  Functions by the names above.
---@return cli.check.Walker
function scope.walker(visitor)
  return setmetatable({ visitor = visitor, visible = {}, declared = {}, depth = 0 }, Walker)
end

return scope
