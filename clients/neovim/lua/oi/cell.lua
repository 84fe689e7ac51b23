-- The cells of a file: fenced blocks in Markdown, else what is between lines such as `# %%`.
local fence = require("oi.fence")
local M = {}

---@class oi.Cell
---@field language string The name of a language, or a filetype.
---@field code string
---@field first integer Number of the first line of its code, from 1.
---@field last integer
---@field reach? integer The last line that belongs to it: empty ones after it do, and its fence.

local MARKDOWN = { markdown = true, quarto = true, rmd = true, oi = true, vimwiki = true }

---@param lines string[]
---@return oi.Cell[]
local function fenced(lines)
  local cells = {}
  for _, block in ipairs(fence.all(lines)) do
    if block.language ~= "" and block.language ~= "output" and block.last > block.first + 1 then
      table.insert(cells, {
        language = block.language,
        code = block.code,
        first = block.first + 1,
        last = block.last - 1,
        reach = block.last,
      })
    end
  end
  return cells
end

--- What stands between marks. Cells of text (`# %% [markdown]`) and empty ones are left out.
---@param lines string[]
---@param language string
---@return oi.Cell[]
local function marked(lines, language)
  local cells, first, is_code = {}, 1, true
  for number = 1, #lines + 1 do
    local title = (lines[number] or "# %%"):match("^%s*[#/%-;]+%s*%%%%(.*)$")
    if title then
      local last = number - 1
      while last >= first and not lines[last]:find("%S") do
        last = last - 1
      end
      if is_code and last >= first then
        local code = table.concat(lines, "\n", first, last)
        local cell = { language = language, code = code, first = first, last = last }
        cell.reach = number - 1
        table.insert(cells, cell)
      end
      first, is_code = number + 1, not title:find("%[markdown%]")
    end
  end
  return cells
end

---@param buf integer
---@return oi.Cell[]
function M.all(buf)
  local lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  local filetype = vim.bo[buf].filetype
  return MARKDOWN[filetype] and fenced(lines) or marked(lines, filetype)
end

--- The cell that a line is in; on the line above it too, which begins it.
---@param buf integer
---@param line integer
---@return oi.Cell?
function M.at(buf, line)
  for _, cell in ipairs(M.all(buf)) do
    if line >= cell.first - 1 and line <= cell.reach then
      return cell
    end
  end
end

--- The line where the next cell begins, or the one before.
---@param buf integer
---@param line integer
---@param forward boolean
---@return integer?
function M.from(buf, line, forward)
  local target
  for _, cell in ipairs(M.all(buf)) do
    if forward and cell.first > line then
      return cell.first
    elseif not forward and cell.last < line then
      target = cell.first
    end
  end
  return target
end

return M
