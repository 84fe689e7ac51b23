-- Editing the block that waits, in its place: only its code is modifiable, and `u` undoes changes.
-- Nothing but an explicit answer runs what was edited: see `finish`.
local keys = require("oi.keys")
local notify = require("oi.notify")
local M = {}

local namespace = vim.api.nvim_create_namespace("oi.edit")

---@class oi.Region From the end of the line before the code to the beginning of the one after it.
---@field row integer
---@field column integer
---@field end_row integer
---@field end_column integer

--- Where the edited code is. Nil if no block is edited.
---@param view oi.View
---@return oi.Region?
local function region(view)
  local mark = vim.api.nvim_buf_get_extmark_by_id(view.buf, namespace, 1, { details = true })
  local at = mark[3]
  if view.is_editing and at and at.end_row and at.end_col then
    return { row = mark[1], column = mark[2], end_row = at.end_row, end_column = at.end_col }
  end
end

--- Make the block that waits editable.
---@param view oi.View
function M.begin(view)
  view:draw()
  local block, start = view:waiting_block()
  if not block then
    return notify("no block waits for an answer.")
  elseif view.is_editing then
    return
  end
  view.is_editing = true
  vim.bo[view.buf].undolevels = vim.go.undolevels
  vim.api.nvim_buf_set_extmark(view.buf, namespace, start, #block.lines[block.code[1]], {
    id = 1,
    end_row = start + block.code[2],
    end_col = 0,
    right_gravity = false,
    end_right_gravity = true,
  })
  keys.answer(view.buf, nil)
  view:draw_status()
  vim.api.nvim_win_set_cursor(0, { start + block.code[1] + 1, 0 })
  vim.bo[view.buf].modifiable = true
end

--- The buffer is modifiable while the cursor is in the code; it stays there in Insert mode.
---@param view oi.View
function M.follow(view)
  local code = region(view)
  if not code then
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  local first = code.row + 1
  local last = math.max(first, code.end_row - (code.end_column == 0 and 1 or 0))
  local inside = math.min(math.max(cursor[1] - 1, first), last)
  if vim.api.nvim_get_mode().mode:find("^[iR]") then
    if inside ~= cursor[1] - 1 then
      vim.api.nvim_win_set_cursor(0, { inside + 1, cursor[2] })
    end
  else
    vim.bo[view.buf].modifiable = inside == cursor[1] - 1
  end
end

--- End the edit, and show the conversation as it is.
---@param view oi.View
function M.leave(view)
  if view.is_editing and vim.api.nvim_get_current_buf() == view.buf then
    vim.cmd.stopinsert()
  end
  vim.bo[view.buf].undolevels = -1
  view:clear()
  view:draw()
end

--- End the edit. The caller answers for the block.
---@param view oi.View
---@return string? code What was edited. Nil if no block is edited.
function M.finish(view)
  local at = region(view)
  if not at then
    return nil
  end
  local lines =
    vim.api.nvim_buf_get_text(view.buf, at.row, at.column, at.end_row, at.end_column, {})
  local code = table.concat(lines, "\n"):gsub("^\n", ""):gsub("\n$", "")
  M.leave(view)
  for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
    vim.api.nvim_win_set_cursor(win, { vim.api.nvim_buf_line_count(view.buf), 0 })
  end
  return code
end

return M
