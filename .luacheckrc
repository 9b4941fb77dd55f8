std = "lua54"
max_line_length = 120
files["spec"] = { std = "+busted" }
files["lua/meta"] = { unused = false }
exclude_files = { "build" }
