std = "luajit"
read_globals = { "vim" }
max_line_length = 100
exclude_files = { "lua/oi/protocol.lua" } -- types only
files["lua"] = { globals = { "vim.bo", "vim.wo", "vim.g", "vim.b" } }
files["plugin"] = { globals = { "vim.g" } }
files["tests"] = { globals = { "vim.bo", "vim.g", "vim.ui", "vim.env", "vim.o", "vim.opt" } }
