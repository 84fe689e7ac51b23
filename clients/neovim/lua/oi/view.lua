-- A conversation's buffer. Draws what is new since it last drew, a few times a second at most.
local Conversation = require("oi.conversation")
local edit = require("oi.edit")
local highlight = require("oi.highlight")
local keys = require("oi.keys")
local layout = require("oi.layout")
local picture = require("oi.picture")
local syntax = require("oi.syntax")
local window = require("oi.window")

local DRAW_EVERY = 30 -- milliseconds
local RULE = ("─"):rep(60)
local text_marks = vim.api.nvim_create_namespace("oi.text")
local line_mark = vim.api.nvim_create_namespace("oi.active_line")
local status_mark = vim.api.nvim_create_namespace("oi.status")

---@class oi.View
---@field conversation oi.Conversation
---@field buf integer
---@field rows integer[] First row of each item, from 0.
---@field blocks oi.Block[] What stands there.
---@field private fold? oi.Fold What was drawn.
---@field private scheduled boolean
---@field editing boolean
---@field private prompted? string The input that was asked for.
local View = {}
View.__index = View

---@type table<integer, oi.View>
local views = {}

---@param buf? integer Default: the current one.
---@return oi.View?
function View.of(buf)
  return views[buf or vim.api.nvim_get_current_buf()]
end

---@param conversation oi.Conversation
---@param buf? integer
---@return oi.View
function View.get(conversation, buf)
  for _, view in pairs(views) do
    if view.conversation == conversation then
      return view
    end
  end
  local self = setmetatable({ conversation = conversation, scheduled = false }, View)
  self.buf = buf or vim.api.nvim_create_buf(false, false)
  views[self.buf] = self
  self:prepare()
  conversation.changed = function()
    self:schedule()
  end
  self:draw()
  return self
end

--- Fill a buffer that Neovim reads, such as by `:edit oi://ID`; `:edit!` ends an edit.
---@param buf integer
---@param name string
function View.read(buf, name)
  local view = View.of(buf)
  if not view then
    view = View.get(Conversation.get(name:match("^oi://(.+)$")), buf)
  end
  edit.leave(view)
  window.dress(view)
end

---@private
function View:prepare()
  highlight.define()
  local buf = self.buf
  if vim.api.nvim_buf_get_name(buf) == "" then
    vim.api.nvim_buf_set_name(buf, "oi://" .. self.conversation.id)
  end
  vim.bo[buf].buftype = "acwrite"
  vim.bo[buf].bufhidden = "hide"
  vim.bo[buf].swapfile = false
  vim.bo[buf].undolevels = -1
  vim.bo[buf].modifiable = false
  vim.bo[buf].filetype = "oi"
  syntax.start(buf)
  vim.bo[buf].path = self.conversation.cwd .. "," .. vim.o.path
  keys.map(buf)
  self:clear()
  self:watch()
end

---@private
function View:watch()
  local group = vim.api.nvim_create_augroup("oi.buffer" .. self.buf, {})
  local function on(event, callback)
    vim.api.nvim_create_autocmd(event, { group = group, buffer = self.buf, callback = callback })
  end
  on("BufWinEnter", function()
    window.dress(self)
  end)
  on("BufEnter", function()
    self:prompt()
  end)
  on("BufWriteCmd", function()
    edit.write(self)
  end)
  on("CursorMoved", function()
    edit.follow(self)
  end)
  on("BufWipeout", function()
    views[self.buf] = nil
    self.conversation.changed = function() end
    vim.api.nvim_del_augroup_by_id(group)
  end)
end

--- Draw soon, with all that happens until then.
---@private
function View:schedule()
  if not self.scheduled then
    self.scheduled = true
    vim.defer_fn(function()
      self.scheduled = false
      if vim.api.nvim_buf_is_valid(self.buf) then
        self:draw()
      end
    end, DRAW_EVERY)
  end
end

---@private
---@param change fun()
function View:modify(change)
  vim.bo[self.buf].modifiable = true
  change()
  vim.bo[self.buf].modifiable = false
  vim.bo[self.buf].modified = false
end

--- Begin again with an empty buffer.
function View:clear()
  self.fold, self.rows, self.blocks, self.editing = nil, {}, {}, false
  vim.api.nvim_buf_clear_namespace(self.buf, -1, 0, -1)
  self:modify(function()
    vim.api.nvim_buf_set_lines(self.buf, 0, -1, false, {})
  end)
end

---@private
---@return oi.Item[] items What is shown: the conversation, and what went wrong.
function View:items()
  local conversation = self.conversation
  if not conversation.notice then
    return conversation.fold.items
  end
  local items = vim.list_slice(conversation.fold.items)
  local lines = vim.split(conversation.notice, "\n")
  table.insert(items, { kind = "notice", text = { lines = lines } })
  return items
end

function View:draw()
  if self.editing then
    return
  end
  if self.fold and self.fold ~= self.conversation.fold then
    self:clear()
  end
  self.fold = self.conversation.fold
  self:draw_items(self:items())
  self:draw_active_line()
  self:draw_status()
  keys.answer(self.buf, self.conversation)
  vim.schedule(function()
    self:prompt()
  end)
end

--- Put down what differs from what stands there. Only the last item drawn, and later ones, can.
---@private
---@param items oi.Item[]
function View:draw_items(items)
  local from = math.max(1, math.min(#self.rows, #items))
  while from > 1 and self.blocks[from - 1].item ~= items[from - 1] do
    from = from - 1 -- words that went unheard have given way
  end
  local start = self.rows[from] or 0
  local old, new = {}, {}
  for i = from, #self.rows do
    vim.list_extend(old, self.blocks[i].lines)
    self.rows[i], self.blocks[i] = nil, nil
  end
  for i = from, #items do
    if items[i].kind == "code" then
      picture.save(items[i])
      syntax.add(self.buf, layout.filetype(items[i].language))
    end
    self.rows[i], self.blocks[i] = start + #new, layout.block(items[i])
    self.blocks[i].item = items[i]
    vim.list_extend(new, self.blocks[i].lines)
  end
  local same = 0
  while same < #new and new[same + 1] == old[same + 1] do
    same = same + 1
  end
  if same < #new or same < #old then
    self:modify(function()
      local lines = vim.list_slice(new, same + 1)
      vim.api.nvim_buf_set_lines(self.buf, start + same, start + #old, false, lines)
      syntax.grown(self.buf, start + #new)
    end)
  end
  vim.api.nvim_buf_clear_namespace(self.buf, text_marks, start + same, -1)
  for i = from, #items do
    self:decorate(i, items[i], start + same)
    self:fold_output(i)
  end
end

---@private
---@param row integer
---@param mark vim.api.keyset.set_extmark
---@param column? integer
function View:mark(row, mark, column)
  vim.api.nvim_buf_set_extmark(self.buf, text_marks, row, column or 0, mark)
end

--- Highlight an item's rows from `first` on, and its fences, whose label may change.
---@private
---@param i integer
---@param item oi.Item
---@param first integer
function View:decorate(i, item, first)
  local block, start = self.blocks[i], self.rows[i]
  local last = start + #block.lines
  for row, label in pairs(block.rules) do
    vim.api.nvim_buf_clear_namespace(self.buf, text_marks, start + row, start + row + 1)
    self:draw_rule(start + row, row == 0 and self:label(i, item) or label)
  end
  for row = math.max(first, start), last - 2 do
    if block.words or item.kind == "notice" then
      self:mark(row, { line_hl_group = block.words and "OIWords" or "OIError" })
    end
    for _, span in ipairs(block.spans[row - start] or {}) do
      local group = highlight.ansi(span.style)
      self:mark(row, { end_col = span.last, hl_group = group, priority = 200 }, span.first)
    end
    local path = block.pictures[row - start]
    if path then
      self:mark(row, { end_row = row + 1, hl_group = "OIPicture", url = path })
      picture.show(self.buf, row, path)
    end
  end
end

--- A fence, drawn as a line that tells what is below it.
---@private
---@param row integer
---@param label string
function View:draw_rule(row, label)
  local text = { { RULE, "OIRule" } }
  if label == layout.GAP then
    text = { { (" "):rep(60), "Normal" } }
  elseif label ~= "" then
    text = { { "── ", "OIRule" }, { label, "OILabel" } }
    local rest = 60 - 4 - vim.api.nvim_strwidth(label)
    table.insert(text, { " " .. ("─"):rep(rest), "OIRule" })
  end
  self:mark(row, { virt_text = text, virt_text_pos = "overlay" })
end

---@private
---@param i integer
---@param item oi.Item
---@return string
function View:label(i, item)
  local conversation = self.conversation
  local over = i < #conversation.fold.items or not conversation:busy()
  return item.language .. (over and not item.output and " · not run" or "")
end

--- Fold an output that is complete and long, but for its beginning and end.
---@private
---@param i integer
function View:fold_output(i)
  local block, last = self.blocks[i], i == #self.conversation.fold.items
  if block.output and not block.folded and not (last and self.conversation.fold.open) then
    block.folded = true
    for _, win in ipairs(vim.fn.win_findbuf(self.buf)) do
      window.fold(win, self.rows[i], block)
    end
  end
end

---@private
function View:draw_active_line()
  vim.api.nvim_buf_clear_namespace(self.buf, line_mark, 0, -1)
  local count = #self.conversation.fold.items
  local item, block = self.conversation.fold.items[count], self.blocks[count]
  local line = item and item.active_line
  if line and line <= #item.code.lines then
    local row = self.rows[count] + block.code[1] + line - 1
    vim.api.nvim_buf_set_extmark(self.buf, line_mark, row, 0, {
      line_hl_group = "OIActiveLine",
      sign_text = "▶",
      sign_hl_group = "OIActiveSign",
      priority = 150,
    })
  end
end

--- What can be done now, on the buffer's last line.
function View:draw_status()
  local text = keys.hint(self.conversation, self.editing)
  vim.api.nvim_buf_set_extmark(
    self.buf,
    status_mark,
    vim.api.nvim_buf_line_count(self.buf) - 1,
    0,
    {
      id = 1,
      virt_text = text,
      virt_text_pos = "overlay",
    }
  )
end

--- Ask for the line that the code waits for; not while somebody types elsewhere.
---@param again? boolean
function View:prompt(again)
  local input = self.conversation.input
  local here = vim.api.nvim_get_current_buf() == self.buf
  local free = here or vim.api.nvim_get_mode().mode == "n"
  if not input or not free or (self.prompted == input.id and not again) then
    return
  end
  self.prompted = input.id
  local function answer(line)
    if line and self.conversation.input == input then
      self.conversation:answer(line)
    end
  end
  if input.password then
    local ok, line = pcall(vim.fn.inputsecret, input.prompt)
    answer(ok and line or nil)
  else
    vim.ui.input({ prompt = input.prompt }, answer)
  end
end

--- Move the cursor to the next of a person's words, or the one before.
---@param forward boolean
function View:jump(forward)
  local row, target = vim.api.nvim_win_get_cursor(0)[1] - 1, nil
  for i, block in ipairs(self.blocks) do
    local start = self.rows[i]
    if block.words and (forward and start > row or not forward and start < row) then
      target = start
      if forward then
        break
      end
    end
  end
  if target then
    vim.cmd("normal! m'")
    vim.api.nvim_win_set_cursor(0, { target + 1, 0 })
  end
end

return View
