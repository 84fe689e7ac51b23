-- Options: their defaults and types. `setup` merges a person's own into them.
local M = {}

---@class oi.Config
---@field cmd? string[] The daemon's command. Default: found in $VIRTUAL_ENV, then in $PATH.
---@field shared boolean Whether to use the daemon that all clients of the user share.
---@field settings table<string, any> Settings of the daemon, such as `model`.
---@field window string Where a window opens if its command has no modifiers.
---@field output_lines integer Output with more lines is folded.
---@field thinking boolean Whether the model's thinking is shown.
---@field keys table<string, string|false> Keys in a conversation, by what they do. False: no key.
M.defaults = {
  cmd = nil,
  shared = false,
  settings = {},
  window = "botright vertical",
  output_lines = 20,
  thinking = true,
  keys = {
    approve = "<CR>",
    edit = "e",
    skip = "x",
    always = "<LocalLeader>a",
    stop = "<C-c>",
    chat = "i",
    next = "]]",
    previous = "[[",
    yank = "yc",
  },
}

local TYPES = {
  cmd = "table",
  shared = "boolean",
  settings = "table",
  window = "string",
  output_lines = "number",
  thinking = "boolean",
  keys = "table",
}

---@type oi.Config
M.options = vim.deepcopy(M.defaults)

--- The first mistake in a person's options.
---@param options table
---@return string? problem
local function problem(options)
  for name, value in pairs(options) do
    if not TYPES[name] then
      return ("oi: there is no option %q: see :help oi-options"):format(name)
    elseif type(value) ~= TYPES[name] then
      return ("oi: option %s must be a %s, not a %s"):format(name, TYPES[name], type(value))
    end
  end
  for name in pairs(options.keys or {}) do
    if not M.defaults.keys[name] then
      return ("oi: option keys.%s: there is no such key: see :help oi-keys"):format(name)
    end
  end
end

--- Merge a person's options into those in force. Raises an error if one of them is wrong.
---@param options? table
function M.merge(options)
  options = options or {}
  local why = problem(options)
  if why then
    error(why, 0)
  end
  M.options = vim.tbl_deep_extend("force", M.options, options)
end

return M
