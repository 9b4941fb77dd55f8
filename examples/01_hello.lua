--- The shortest useful script: a wait that holds up nobody else.

local neap = require("neap")

print("hello")
neap.sleep("100ms")
print("world")
