-- Marks in a conversation's buffer: fences, messages, colours, the active line, hints.
local highlight = require("oi.highlight")
local layout = require("oi.layout")
local M = {}

---@type vim.api.keyset.set_extmark
M.ACTIVE_LINE = {
  line_hl_group = "OIActiveLine",
  sign_text = "▶",
  sign_hl_group = "OIActiveSign",
  priority = 150,
}

local WIDTH = 60 -- columns of a fence
local texts = vim.api.nvim_create_namespace("oi.text")
local notes = vim.api.nvim_create_namespace("oi.notes")
local active_line = vim.api.nvim_create_namespace("oi.active_line")
local status = vim.api.nvim_create_namespace("oi.status")

---@param buf integer
---@param row integer
---@param mark vim.api.keyset.set_extmark
---@param column? integer
local function put(buf, row, mark, column)
  vim.api.nvim_buf_set_extmark(buf, texts, row, column or 0, mark)
end

--- The line that is drawn in place of a fence.
---@param label string What is written on it.
---@param group string Highlight group of the label.
---@return string[][] virt_text
local function rule(label, group)
  if label == layout.GAP then
    return { { (" "):rep(WIDTH), "Normal" } }
  elseif label == "" then
    return { { ("─"):rep(WIDTH), "OIRule" } }
  end
  local rest = ("─"):rep(WIDTH - 4 - vim.api.nvim_strwidth(label))
  return { { "── ", "OIRule" }, { label, group }, { " " .. rest, "OIRule" } }
end

--- Remove the marks of rows from `first` on, and the notes of blocks from row `start` on.
---@param buf integer
---@param first integer
---@param start integer
function M.clear(buf, first, start)
  vim.api.nvim_buf_clear_namespace(buf, texts, first, -1)
  vim.api.nvim_buf_clear_namespace(buf, notes, start, -1)
end

--- Mark the rows of a block.
---@param buf integer
---@param start integer The block's first row.
---@param block oi.Block
---@param first integer The first row that has changed. Fences above it are marked too: their labels
--- may have changed.
function M.block(buf, start, block, first)
  for row, label in pairs(block.rules) do
    vim.api.nvim_buf_clear_namespace(buf, texts, start + row, start + row + 1)
    local group = row == block.failed and "OIError" or "OILabel"
    put(buf, start + row, { virt_text = rule(label, group), virt_text_pos = "overlay" })
  end
  if block.note then
    local mark = { virt_text = { { block.note, "OIHint" } } }
    vim.api.nvim_buf_set_extmark(buf, notes, start, 0, mark)
  end
  for row = math.max(first - start, 0), #block.lines - 2 do
    if block.group then
      put(buf, start + row, { line_hl_group = block.group })
    end
    for _, span in ipairs(block.spans[row] or {}) do
      local group = highlight.ansi(span.style)
      local mark = { end_col = span.last, hl_group = group, priority = 200 }
      put(buf, start + row, mark, span.first)
    end
    local path = block.pictures[row]
    if path then
      put(buf, start + row, { end_row = start + row + 1, hl_group = "OIPicture", url = path })
    end
  end
end

--- Mark the line that runs.
---@param buf integer
---@param row? integer Nil: none runs.
function M.active_line(buf, row)
  vim.api.nvim_buf_clear_namespace(buf, active_line, 0, -1)
  if row then
    vim.api.nvim_buf_set_extmark(buf, active_line, row, 0, M.ACTIVE_LINE)
  end
end

--- Show on the buffer's last line what can be done now.
---@param buf integer
---@param hint string[][]
function M.status(buf, hint)
  local last = vim.api.nvim_buf_line_count(buf) - 1
  local mark = { id = 1, virt_text = hint, virt_text_pos = "overlay" }
  vim.api.nvim_buf_set_extmark(buf, status, last, 0, mark)
end

return M
