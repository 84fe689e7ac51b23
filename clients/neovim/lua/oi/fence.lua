-- Fenced blocks of code in Markdown, Quarto and R Markdown. Pure but for `at`.
local M = {}

---@class oi.Fence
---@field language string
---@field code string
---@field first integer Number of its first line, from 1.
---@field last integer Number of its last line.

--- All fenced blocks: by backticks or tildes, indented too, of `python`, `{python}` or the like.
---@param lines string[]
---@return oi.Fence[]
function M.all(lines)
  local found = {} ---@type oi.Fence[]
  local open ---@type { first: integer, marks: string, indent: string, language: string }?
  for number, text in ipairs(lines) do
    local indent, marks, info = text:match("^(%s*)(```+)%s*([^`]*)$")
    if not marks then
      indent, marks, info = text:match("^(%s*)(~~~+)%s*(.-)$")
    end
    if marks and info and not open then
      local language = info:match("^{?%s*%.?([^%s`{},]*)") or ""
      open = { first = number, marks = marks, indent = indent or "", language = language }
    elseif marks and open and info == "" and vim.startswith(marks, open.marks) then
      local code = vim.tbl_map(function(line)
        return vim.startswith(line, open.indent) and line:sub(#open.indent + 1) or line
      end, vim.list_slice(lines, open.first + 1, number - 1))
      table.insert(found, {
        language = open.language,
        code = table.concat(code, "\n"),
        first = open.first,
        last = number,
      })
      open = nil
    end
  end
  return found
end

--- The fenced block of the current buffer that contains a line.
---@param line integer
---@return oi.Fence?
function M.at(line)
  for _, fence in ipairs(M.all(vim.api.nvim_buf_get_lines(0, 0, -1, false))) do
    if line >= fence.first and line <= fence.last then
      return fence
    end
  end
end

return M
