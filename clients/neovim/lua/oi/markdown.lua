-- A conversation as a Markdown file.
local Fold = require("oi.fold")
local layout = require("oi.layout")
local picture = require("oi.picture")
local M = {}

--- The conversation's lines. Pictures are part of the text. What failed or was declined is marked.
---@param fold oi.Fold
---@return string[]
function M.lines(fold)
  local lines = {}
  for _, item in ipairs(fold.items) do
    if Fold.is_message(item) then
      vim.list_extend(lines, layout.block(item, picture.embedded(item)).lines)
      if item.status then
        local has_failed = item.status == "error" or item.status == "killed"
        local sign = has_failed and "✗" or "⊘"
        vim.list_extend(lines, { ("%s *status: %s*"):format(sign, item.status), "" })
      end
    end
  end
  table.remove(lines) -- the empty line after the last item
  return lines
end

--- Write lines to a file.
---@param lines string[]
---@param path string
---@param appends boolean
function M.write(lines, path, appends)
  local ok, why = pcall(vim.fn.writefile, lines, path, appends and "a" or "")
  if not ok then
    error(("oi: %s was not written: %s"):format(path, why), 0)
  end
  local shown = vim.fn.fnamemodify(path, ":~:.")
  local done = appends and "appended" or "written"
  local text = ('"%s" %d lines of Markdown %s'):format(shown, #lines, done)
  vim.api.nvim_echo({ { text } }, true, {})
end

return M
