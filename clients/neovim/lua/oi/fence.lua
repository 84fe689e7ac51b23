-- Fenced blocks of code in a buffer's Markdown.
local M = {}

---@class oi.Fence
---@field language string
---@field code string
---@field first integer Number of its first line, from 1.
---@field last integer Number of its last line.

--- The fenced block of the current buffer that contains a line.
---@param line integer
---@return oi.Fence?
function M.at(line)
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local open ---@type { first: integer, ticks: string, language: string }?
  for number, text in ipairs(lines) do
    local ticks, info = text:match("^%s*(```+)%s*([^%s`{]*)")
    if ticks and not open then
      open = { first = number, ticks = ticks, language = info or "" }
    elseif ticks and open and info == "" and #ticks >= #open.ticks then
      if line >= open.first and line <= number then
        local code = table.concat(lines, "\n", open.first + 1, number - 1)
        return { language = open.language, code = code, first = open.first, last = number }
      end
      open = nil
    end
  end
end

return M
