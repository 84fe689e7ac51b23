-- A person's yes to the block that waits. It holds for what they have had on the screen.
local View = require("oi.view")
local actions = require("oi.actions")
local edit = require("oi.edit")
local notify = require("oi.notify")
local window = require("oi.window")
local M = {}

--- Run the block that waits, or what was made of it: whichever a person has had on the screen.
--- Otherwise show it.
---@param conversation oi.Conversation
---@param decision "run"|"always"
function M.give(conversation, decision)
  local view, begun = View.get(conversation), edit.of(conversation)
  local differs, is_shown = false, false
  if begun then
    differs, is_shown = edit.look(begun)
  end
  view:draw() -- what has come since the last time too
  local unseen, count = view.sight:unseen(view)
  if begun and is_shown then
    edit.run(begun, decision)
  elseif begun and differs then
    edit.begin(conversation)
    notify("you have edited this block: here it is.")
  elseif unseen then
    window.open(view.buf, nil, true)
    vim.api.nvim_win_set_cursor(0, { unseen + 1, 0 })
    vim.cmd("normal! zt")
    view.sight:look(view)
    notify(("%d lines of it were not on the screen: read them, then run it."):format(count))
  else
    actions.approve(conversation, decision)
  end
end

--- The conversation in whose waiting block, or in the edit of it, a line of the current buffer is.
---@param line integer
---@return oi.Conversation?
function M.waiting_at(line)
  local begun, view = edit.at(vim.api.nvim_get_current_buf()), View.of()
  if begun or not view then
    return begun and begun.conversation
  end
  local first, after = view:waiting_rows()
  local is_inside = first and line >= first and line <= (after or 0) + 1
  return is_inside and view.conversation or nil
end

return M
