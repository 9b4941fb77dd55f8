local neap = require("neap")

local HOST = assert(io.open("/proc/self/cmdline", "rb")):read("a"):match("^[^\0]+")

-- The programs for which it matters what they print, all begun at once: they mostly wait.
local PROGRAMS = {
  ["01_hello.lua"] = "hello\nworld\n",
  ["02_interleave.lua"] = "after spawning\n1\n2\n3\n4\n5\n6\nafter spawning\n1\n2\n3\n5\n4\n6\n",
  ["03_fan_out.lua"] = "^A%-1  APPROVED +%d+ ms\nA%-2  REJECTED +%d+ ms\nA%-3  error: payment: no card +%d+ ms\n$",
  ["04_pipeline.lua"] = "A-2 packed after 0.1 s\nA-3 packed after 0.2 s\nA-1 packed after 0.3 s\n",
  ["05_flow.lua 300ms"] = "A-1  OK\nA-2  OK\nA-3  ERROR: timeout\nA-4  OK\nA-5  OK\n",
  ["06_consumers.lua"] = "order 97: consumer 7 has no printer\n100 orders, 10 failed, %d%.%d s\n$",
  ["07_create_order.lua"] = "^side by side +Ada, Bergen: 5600 cents +%d+ ms\nin turn +Ada, Bergen: 5600 cents +%d+ ms\n"
    .. "by callbacks +Ada, Bergen: 5600 cents +%d+ ms\n",
  ["08_order_saga.lua --input examples/orders.jsonl"] = "^orders +50   %d%.%d s, 8 at once, seed %d+\n"
    .. "  approved +%d+ .*\n\nThe books balance%.\n$",
  ["09_scope_quiz.lua"] = "^1\tfalse\tout of stock\n2\ttrue\tdefault\n3\ttrue\tdefault\nthe hint in 1: ",
}

local function begin(command)
  return assert(io.popen(("%s run %s 2>&1"):format(HOST, command)))
end

-- What it printed, standard error included, and its exit status. That it held the loop is of no
-- interest: on a busy machine it waits for the processor.
local function finish(pipe)
  local output = pipe:read("a"):gsub("neap: [^\n]* held the loop [^\n]*\n", "")
  local _, _, status = pipe:close()
  return output, status
end

local pipes = {}
for command in pairs(PROGRAMS) do pipes[command] = begin("examples/" .. command) end
local on_terminal = assert(io.popen(
  ("script -qec '%s run examples/08_order_saga.lua --limit 50' /dev/null"):format(HOST)))

describe("neap run", function()
  for command, expected in pairs(PROGRAMS) do
    it("runs examples/" .. command, function()
      local output, status = finish(pipes[command])
      assert.are.equal(0, status, output)
      assert.is_true(output == expected or output:find(expected) ~= nil, output)
      assert.is_nil(output:find("\27", 1, true)) -- no terminal, no progress
    end)
  end
end)

describe("examples/08_order_saga.lua", function()
  local function run(arguments)
    return finish(begin("examples/08_order_saga.lua " .. arguments))
  end

  it("ends with status 2, having done nothing, when its input is wrong", function()
    local dir <close> = neap.fs.temp_dir()
    local path = dir.path .. "/orders.jsonl"
    neap.fs.write(path, '{"id": "A", oops\n')

    local output, status = run("--input " .. path)
    assert.are.equal(("08_order_saga: %s:1: column 16: string or '}' expected near 'oops'\n"):format(path), output)
    assert.are.equal(2, status)

    output, status = run("--stock /nowhere/at/all")
    assert.are.equal("08_order_saga: neap.fs.open /nowhere/at/all: no such file or directory\n", output)
    assert.are.equal(2, status)

    output, status = run("--limit 0")
    assert.is_truthy(output:find("--limit: 0 is less than 1", 1, true))
    assert.are.equal(2, status)
  end)

  -- Run it with a shop of its own: `change` is Lua text about a local `shop`.
  local function run_changed(change, arguments)
    local dir <close> = neap.fs.temp_dir()
    local path = dir.path .. "/changed.lua"
    neap.fs.write(path, ([[
      package.path = "examples/?.lua;" .. package.path
      local shops = require("shop")
      local new = shops.new
      function shops.new(...)
        local shop = new(...)
        %s
        return shop
      end
      dofile("examples/08_order_saga.lua")
    ]]):format(change))
    return finish(begin(path .. " --input examples/orders.jsonl --stock examples/products.jsonl " .. arguments))
  end

  it("ends with status 1 when the books do not balance", function()
    local output, status = run_changed("function shop.refund() end", "--limit 50")
    assert.is_truthy(output:find("08_order_saga: the books do not balance:\n  order ORD%-%d+: not approved, and still "
      .. "charged\n"))
    assert.are.equal(1, status)
  end)

  it("undoes what is under way when it is interrupted, and says so", function()
    -- At an instant that does not depend on how fast the machine is: the tenth parcel.
    local output, status = run_changed([[
      local ship, parcels = shop.ship, 0
      function shop.ship(...)
        parcels = parcels + 1
        if parcels == 10 then require("neap").process.run({ "sh", "-c", "kill -INT $PPID" }) end
        return ship(...)
      end
    ]], "--limit 8")
    assert.are.equal(130, status)
    assert.is_truthy(output:find("\n  cancelled +%d   and undone\n  not begun +%d+\n"), output)
    local approved = output:match("approved +(%d+)")
    assert.is_truthy(output:find(("\ncharges +%%d+   %s of approved orders, "):format(approved)), output)
    assert.is_truthy(output:find("\nThe books balance.\n", 1, true), output)
  end)

  it("shows its progress on a terminal", function()
    local output = finish(on_terminal)
    assert.is_truthy(output:find("\r50 of 50 orders: %d+ approved, %d+ rejected, %d+ compensated\27%[K\r\27%[K"
      .. "orders +50 "), output)
  end)
end)
