-- Editing the block that waits, where it stands: only its code is modifiable, and can be undone.
local keys = require("oi.keys")
local M = {}

local marks = vim.api.nvim_create_namespace("oi.edit")

---@param view oi.View
---@return integer? first Row of the code being edited.
---@return integer last Row after it.
local function rows(view)
  local mark = vim.api.nvim_buf_get_extmark_by_id(view.buf, marks, 1, { details = true })
  if mark[1] then
    return mark[1] + 1, mark[3].end_row
  end
  return nil, 0
end

--- Make the block that waits editable; `:write` runs it, `:edit!` leaves it as it was.
---@param view oi.View
function M.begin(view)
  if not view.conversation.approval then
    return vim.notify("oi: no block waits for an answer.", vim.log.levels.WARN)
  end
  view:draw()
  local i = #view.conversation.fold.items
  local code, start = view.blocks[i].code, view.rows[i]
  view.editing = true
  vim.bo[view.buf].undolevels = vim.go.undolevels
  vim.api.nvim_buf_set_extmark(view.buf, marks, start + code[1] - 1, 0, {
    id = 1,
    end_row = start + code[2],
    right_gravity = false,
    end_right_gravity = true,
  })
  keys.answer(view.buf, nil)
  view:draw_status()
  vim.api.nvim_win_set_cursor(0, { start + code[1] + 1, 0 })
  vim.bo[view.buf].modifiable = true
end

--- The buffer is modifiable while the cursor is in the code.
---@param view oi.View
function M.follow(view)
  local first, last = rows(view)
  if view.editing and first then
    local row = vim.api.nvim_win_get_cursor(0)[1] - 1
    vim.bo[view.buf].modifiable = row >= first and row < math.max(last, first + 1)
  end
end

--- Show the conversation as it is.
---@param view oi.View
function M.leave(view)
  vim.bo[view.buf].undolevels = -1
  view:clear()
  view:draw()
end

--- Run what stands there in place of the model's code.
---@param view oi.View
function M.write(view)
  local first, last = rows(view)
  if view.editing and first then
    local lines = vim.api.nvim_buf_get_lines(view.buf, first, last, false)
    M.leave(view)
    view.conversation:approve("run", table.concat(lines, "\n"))
    vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(view.buf), 0 })
  end
  vim.bo[view.buf].modified = false
end

return M
