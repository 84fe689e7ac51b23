-- Fenced blocks of code in a buffer's Markdown.
local M = {}

---@class oi.Fence
---@field language string
---@field code string
---@field first integer Line of its beginning, from 1.
---@field last integer Line of its end.

--- The block that holds a line.
---@param line integer
---@return oi.Fence?
function M.at(line)
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local first, ticks, language
  for number, text in ipairs(lines) do
    local found, info = text:match("^%s*(```+)%s*([^%s`{]*)")
    if found and not ticks then
      first, ticks, language = number, found, info
    elseif found and info == "" and #found >= #ticks then
      if line >= first and line <= number then
        local code = table.concat(lines, "\n", first + 1, number - 1)
        return { language = language, code = code, first = first, last = number }
      end
      ticks = nil
    end
  end
end

return M
