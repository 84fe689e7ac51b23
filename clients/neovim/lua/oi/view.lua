-- A conversation's buffer. Draws what has changed since it last drew, a few times a second at most.
local Conversation = require("oi.conversation")
local Fold = require("oi.fold")
local decorate = require("oi.decorate")
local edit = require("oi.edit")
local highlight = require("oi.highlight")
local keys = require("oi.keys")
local languages = require("oi.languages")
local layout = require("oi.layout")
local markdown = require("oi.markdown")
local notify = require("oi.notify")
local picture = require("oi.picture")
local prompt = require("oi.prompt")
local syntax = require("oi.syntax")
local window = require("oi.window")

local DRAW_EVERY = 30 -- milliseconds
local COUNT_EVERY = 1000 -- milliseconds between two changes of the time that is shown

---@class oi.View
---@field conversation oi.Conversation
---@field buf integer
---@field name string The buffer's name.
---@field rows integer[] First row of each block, from 0.
---@field blocks oi.Block[] What has been drawn, in its order.
---@field is_editing boolean Whether the block that waits is being edited.
---@field private fold? oi.Fold What was drawn last.
---@field private pictures table<string, oi.Placement>
---@field private is_scheduled boolean Whether it is about to draw.
---@field private is_counting boolean Whether the time that is shown is kept up to date.
local View = {}
View.__index = View

---@type table<integer, oi.View>
local views = {}

---@param buf? integer Default: the current one.
---@return oi.View?
function View.of(buf)
  return views[buf or vim.api.nvim_get_current_buf()]
end

--- A new buffer of this name. It replaces one that was unloaded.
---@param name string
---@return integer
local function new_buffer(name)
  local unloaded = vim.fn.bufnr(name)
  if unloaded ~= -1 and vim.api.nvim_buf_get_name(unloaded) == name then
    vim.api.nvim_buf_delete(unloaded, { force = true })
  end
  local buf = vim.api.nvim_create_buf(false, false)
  vim.api.nvim_buf_set_name(buf, name)
  return buf
end

--- The view that shows a conversation, if there is one.
---@param conversation oi.Conversation
---@return oi.View?
function View.showing(conversation)
  for _, view in pairs(views) do
    if view.conversation == conversation then
      return view
    end
  end
end

--- The view that shows a conversation. It is made if there is none.
---@param conversation oi.Conversation
---@param buf? integer Where to show it. Default: a new buffer.
---@return oi.View
function View.get(conversation, buf)
  local shown = View.showing(conversation)
  if shown then
    return shown
  end
  local name = "oi://" .. conversation.id
  local self = setmetatable({
    conversation = conversation,
    buf = buf or new_buffer(name),
    name = name,
    rows = {},
    blocks = {},
    is_editing = false,
    pictures = {},
    is_scheduled = false,
    is_counting = false,
  }, View)
  views[self.buf] = self
  self:prepare()
  conversation.changed = function()
    self:schedule()
  end
  self:draw()
  return self
end

--- Fill a buffer that Neovim reads, as by `:edit oi://ID` or `:edit!`.
---@param buf integer
---@param name string
function View.read(buf, name)
  window.set_up(View.get(Conversation.get(name:match("^oi://(.+)$")), buf))
end

---@private
function View:prepare()
  highlight.define()
  local buf = self.buf
  vim.bo[buf].buftype = "acwrite"
  vim.bo[buf].bufhidden = "hide"
  vim.bo[buf].swapfile = false
  vim.bo[buf].undolevels = -1
  vim.bo[buf].modifiable = false
  vim.bo[buf].filetype = "oi"
  syntax.start(buf)
  vim.bo[buf].path = vim.fn.escape(self.conversation.cwd, " ,\\") .. "," .. vim.o.path
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
    window.set_up(self)
    self:schedule()
  end)
  on("BufEnter", function()
    prompt.offer(self.conversation)
  end)
  on("BufWriteCmd", function(event)
    self:write(event.match)
  end)
  on({ "CursorMoved", "CursorMovedI" }, function()
    edit.follow(self)
  end)
  vim.api.nvim_create_autocmd("ModeChanged", {
    group = group,
    pattern = "*:n*",
    callback = vim.schedule_wrap(function()
      if vim.api.nvim_get_current_buf() == self.buf then
        prompt.offer(self.conversation)
      end
    end),
  })
  on("BufUnload", function()
    views[self.buf] = nil
    picture.place(self.buf, self.pictures, {})
    self.conversation.changed = function() end
    vim.api.nvim_del_augroup_by_id(group)
  end)
end

--- Write the conversation to a file, as Markdown. Writing never runs code: the daemon saves the
--- conversation, and a block that is being edited goes on waiting.
---@private
---@param name string
function View:write(name)
  if name ~= self.name then
    markdown.write(self.conversation, name)
    vim.schedule(function()
      self:restore_name()
    end)
  elseif self.is_editing then
    notify("the edited block was not run: <CR> runs it, :e! undoes the edit.")
  else
    vim.bo[self.buf].modified = false
  end
end

--- Give the buffer its name again, which `:saveas` changes.
---@private
function View:restore_name()
  if views[self.buf] == self and vim.api.nvim_buf_get_name(self.buf) ~= self.name then
    local other = vim.fn.bufnr(("^%s$"):format(vim.fn.escape(self.name, "*?[]{},\\")))
    if other ~= -1 and other ~= self.buf then
      vim.api.nvim_buf_delete(other, { force = true })
    end
    vim.api.nvim_buf_set_name(self.buf, self.name)
  end
end

--- Draw soon, with all changes until then.
---@private
function View:schedule()
  if not self.is_scheduled then
    self.is_scheduled = true
    vim.defer_fn(function()
      self.is_scheduled = false
      if views[self.buf] == self then
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

--- Empty the buffer.
function View:clear()
  self.fold, self.rows, self.blocks, self.is_editing = nil, {}, {}, false
  picture.place(self.buf, self.pictures, {})
  vim.api.nvim_buf_clear_namespace(self.buf, -1, 0, -1)
  self:modify(function()
    vim.api.nvim_buf_set_lines(self.buf, 0, -1, false, {})
  end)
end

--- What is shown: the conversation, and how its last turn ended.
---@private
---@return oi.Item[]
function View:items()
  local conversation = self.conversation
  if not conversation.outcome then
    return conversation.fold.items
  end
  local items = vim.list_slice(conversation.fold.items)
  local text = Fold.text(conversation.outcome)
  table.insert(items, { kind = "notice", text = text, language = "", displays = {} })
  return items
end

--- The block that waits for an answer, and its first row.
---@return oi.Block? block
---@return integer row
function View:waiting_block()
  local last = self.conversation.approval and #self.conversation.fold.items or 0
  return self.blocks[last], self.rows[last] or 0
end

--- Whether a line of the buffer belongs to the block that waits for an answer.
---@param line integer
---@return boolean
function View:is_waiting_at(line)
  local block, row = self:waiting_block()
  return block ~= nil and (self.is_editing or line > row and line <= row + #block.lines)
end

function View:draw()
  if self.is_editing and self.conversation.approval then
    return
  elseif self.is_editing then
    return edit.leave(self) -- the block no longer waits: the turn was stopped, or failed
  end
  if self.fold and self.fold ~= self.conversation.fold then
    self:clear()
  end
  self.fold = self.conversation.fold
  self:draw_items(self:items())
  self:draw_active_line()
  self:draw_status()
  self:place_pictures()
  keys.answer(self.buf, self.conversation)
  self:count()
  vim.schedule(function()
    prompt.offer(self.conversation)
  end)
end

--- Keep the time that is shown up to date, as long as the conversation is doing something.
---@private
function View:count()
  if self.is_counting or not self.conversation:is_busy() then
    return
  end
  self.is_counting = true
  vim.defer_fn(function()
    self.is_counting = false
    if views[self.buf] == self then
      self:draw_status()
      vim.cmd.redrawstatus({ bang = true })
      self:count()
    end
  end, COUNT_EVERY)
end

--- Write the lines that differ from those in the buffer. Only items from the last unchanged one on
--- can differ, because only the last item grows.
---@private
---@param items oi.Item[]
function View:draw_items(items)
  local from = math.max(1, math.min(#self.rows, #items))
  while from > 1 and self.blocks[from - 1].item ~= items[from - 1] do
    from = from - 1 -- an item was removed, or a notice came before the last one
  end
  local start = self.rows[from] or 0
  local old, new = {}, {}
  local before = self.blocks[from]
  for i = from, #self.rows do
    vim.list_extend(old, self.blocks[i].lines)
    self.rows[i], self.blocks[i] = nil, nil
  end
  for i = from, #items do
    self.rows[i], self.blocks[i] = start + #new, self:block(i, items[i])
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
  if before and self.blocks[from] and before.item == self.blocks[from].item then
    self.blocks[from].is_folded = before.is_folded
  end
  decorate.clear(self.buf, start + same)
  for i = from, #items do
    decorate.block(self.buf, self.rows[i], self.blocks[i], start + same)
    self:fold_block(i)
  end
end

---@private
---@param i integer
---@param item oi.Item
---@return oi.Block
function View:block(i, item)
  if item.kind ~= "code" then
    return layout.block(item)
  end
  picture.save(item)
  syntax.add(self.buf, languages.filetype(item.language))
  local block = layout.block(item, item.pictures)
  local is_over = i < #self.conversation.fold.items or not self.conversation:is_busy()
  if item.status == "declined" then
    block.rules[0] = ("⊘ %s · declined"):format(item.language)
  elseif is_over and not item.output then
    block.rules[0] = item.language .. " · not run"
  end
  return block
end

--- Fold thinking, and a long output but for its beginning and end, once they are complete.
---@private
---@param i integer
function View:fold_block(i)
  local block, fold = self.blocks[i], self.conversation.fold
  local is_growing = i == #fold.items and fold.is_open
  local can_fold = block.output[1] or block.item.kind == "thinking"
  if can_fold and not block.is_folded and not is_growing then
    block.is_folded = true
    for _, win in ipairs(vim.fn.win_findbuf(self.buf)) do
      window.fold(win, self.rows[i], block)
    end
  end
end

---@private
function View:draw_active_line()
  local count = #self.conversation.fold.items
  local item, block = self.conversation.fold.items[count], self.blocks[count]
  local line, row = item and item.active_line, nil
  if line and line <= #item.text.lines then
    row = self.rows[count] + block.code[1] + line - 1
  end
  decorate.active_line(self.buf, row)
end

--- The item that a row of the buffer belongs to.
---@param row integer
---@return oi.Item?
function View:item_at(row)
  for i = #self.rows, 1, -1 do
    if self.rows[i] <= row then
      return self.blocks[i].item
    end
  end
end

function View:draw_status()
  decorate.status(self.buf, keys.hint(self.conversation, self.is_editing))
end

---@private
function View:place_pictures()
  local rows = {}
  for i, block in ipairs(self.blocks) do
    for row, path in pairs(block.pictures) do
      rows[path] = self.rows[i] + row
    end
  end
  picture.place(self.buf, self.pictures, rows)
end

--- Move the cursor to the person's next message, or to the one before.
---@param forward boolean
function View:jump(forward)
  local row, target = vim.api.nvim_win_get_cursor(0)[1] - 1, nil
  for i, block in ipairs(self.blocks) do
    local start = self.rows[i]
    if block.item.kind == "user" and (forward and start > row or not forward and start < row) then
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
