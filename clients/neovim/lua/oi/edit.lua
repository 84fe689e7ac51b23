-- Editing the block that waits, where it stands: only its code is modifiable, and can be undone.
local keys = require("oi.keys")
local tell = require("oi.tell")
local M = {}

local namespace = vim.api.nvim_create_namespace("oi.edit")

---@class oi.Edited From the end of the line before the code to the beginning of the one after it.
---@field row integer
---@field column integer
---@field end_row integer
---@field end_column integer

---@param view oi.View
---@return oi.Edited?
local function edited(view)
  local mark = vim.api.nvim_buf_get_extmark_by_id(view.buf, namespace, 1, { details = true })
  if view.editing and mark[1] then
    local at = mark[3]
    return { row = mark[1], column = mark[2], end_row = at.end_row, end_column = at.end_col }
  end
end

--- Make the block that waits editable; `:write` runs it, `:edit!` leaves it as it was.
---@param view oi.View
function M.begin(view)
  if not view.conversation.approval then
    return tell("no block waits for an answer.")
  end
  view:draw()
  local i = #view.conversation.fold.items
  local block, start = view.blocks[i], view.rows[i]
  view.editing = true
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
  local code = edited(view)
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

--- Show the conversation as it is.
---@param view oi.View
function M.leave(view)
  if view.editing and vim.api.nvim_get_current_buf() == view.buf then
    vim.cmd.stopinsert()
  end
  vim.bo[view.buf].undolevels = -1
  view:clear()
  view:draw()
end

--- Run what stands there in place of the model's code.
---@param view oi.View
function M.write(view)
  local at = edited(view)
  if at then
    local lines =
      vim.api.nvim_buf_get_text(view.buf, at.row, at.column, at.end_row, at.end_column, {})
    local code = table.concat(lines, "\n"):gsub("^\n", ""):gsub("\n$", "")
    M.leave(view)
    view.conversation:approve("run", code)
    vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(view.buf), 0 })
  end
  vim.bo[view.buf].modified = false
end

return M
