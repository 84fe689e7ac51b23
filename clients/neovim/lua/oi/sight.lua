-- What a person has had on the screen of the code that waits for a yes, since it began to wait.

---@class oi.Sight
---@field private approval? string Id of the block.
---@field private rows table<integer, true> Rows that were in view.
local Sight = {}
Sight.__index = Sight

---@return oi.Sight
function Sight.new()
  return setmetatable({ rows = {} }, Sight)
end

--- Note what is in view now.
---@param view oi.View
function Sight:look(view)
  local first, after = view:waiting_rows()
  if not first then
    return
  elseif self.approval ~= view.conversation.approval then
    self.approval, self.rows = view.conversation.approval, {}
  end
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(win) == view.buf then
      local top, bottom = vim.fn.line("w0", win), vim.fn.line("w$", win)
      for row = math.max(first, top - 1), math.min(after, bottom) - 1 do
        self.rows[row] = true
      end
    end
  end
end

--- The first row of the code that waits which has not been in view.
---@param view oi.View
---@return integer? row Nil: all of it has, or no code waits.
---@return integer count How many there are.
function Sight:unseen(view)
  self:look(view)
  local first, after = view:waiting_rows()
  local next_row, count = nil, 0
  for row = first or 0, after - 1 do
    if not self.rows[row] then
      next_row, count = next_row or row, count + 1
    end
  end
  return next_row, count
end

return Sight
