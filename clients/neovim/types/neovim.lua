---@meta
-- What the annotations that Neovim brings along lack.

---@class oi.Uv The functions of `vim.uv` that are used here.
---@field fs_stat fun(path: string): { type: string }?
---@field now fun(): integer
---@field os_getpid fun(): integer
---@field random fun(length: integer): string
