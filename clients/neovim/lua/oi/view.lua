-- A conversation's buffer. Draws what is new since it last drew, a few times a second at most.
local Conversation = require("oi.conversation")
local decorate = require("oi.decorate")
local edit = require("oi.edit")
local highlight = require("oi.highlight")
local keys = require("oi.keys")
local layout = require("oi.layout")
local picture = require("oi.picture")
local prompt = require("oi.prompt")
local syntax = require("oi.syntax")
local window = require("oi.window")

local DRAW_EVERY = 30 -- milliseconds

---@class oi.View
---@field conversation oi.Conversation
---@field buf integer
---@field rows integer[] First row of each item, from 0.
---@field blocks oi.Block[] What stands there.
---@field private fold? oi.Fold What was drawn.
---@field private pictures table<string, oi.Placement>
---@field private scheduled boolean
---@field editing boolean
local View = {}
View.__index = View

---@type table<integer, oi.View>
local views = {}

---@param buf? integer Default: the current one.
---@return oi.View?
function View.of(buf)
  return views[buf or vim.api.nvim_get_current_buf()]
end

--- A buffer of this name; one that was unloaded makes room for it.
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

---@param conversation oi.Conversation
---@param buf? integer
---@return oi.View
function View.get(conversation, buf)
  for _, view in pairs(views) do
    if view.conversation == conversation then
      return view
    end
  end
  local self = setmetatable({ conversation = conversation, pictures = {}, scheduled = false }, View)
  self.buf = buf or new_buffer("oi://" .. conversation.id)
  views[self.buf] = self
  self:prepare()
  conversation.changed = function()
    self:schedule()
  end
  self:draw()
  return self
end

--- Fill a buffer that Neovim reads, such as by `:edit oi://ID`, or again by `:edit`.
---@param buf integer
---@param name string
function View.read(buf, name)
  window.dress(View.get(Conversation.get(name:match("^oi://(.+)$")), buf))
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
    window.dress(self)
    self:schedule()
  end)
  on("BufEnter", function()
    prompt.offer(self.conversation)
  end)
  on("BufWriteCmd", function()
    edit.write(self)
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

--- Draw soon, with all that happens until then.
---@private
function View:schedule()
  if not self.scheduled then
    self.scheduled = true
    vim.defer_fn(function()
      self.scheduled = false
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

--- Begin again with an empty buffer.
function View:clear()
  self.fold, self.rows, self.blocks, self.editing = nil, {}, {}, false
  picture.place(self.buf, self.pictures, {})
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
  if self.editing and self.conversation.approval then
    return
  elseif self.editing then
    return edit.leave(self) -- the block waits no more: the turn was stopped, or has failed
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
  vim.schedule(function()
    prompt.offer(self.conversation)
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
    self.blocks[from].folded = before.folded
  end
  decorate.clear(self.buf, start + same)
  for i = from, #items do
    decorate.block(self.buf, self.rows[i], self.blocks[i], start + same)
    self:fold_output(i)
  end
end

---@private
---@param i integer
---@param item oi.Item
---@return oi.Block
function View:block(i, item)
  if item.kind == "code" then
    picture.save(item)
    syntax.add(self.buf, layout.filetype(item.language))
  end
  local block = layout.block(item)
  block.item = item
  local over = i < #self.conversation.fold.items or not self.conversation:busy()
  if item.kind == "code" and over and not item.output then
    block.rules[0] = item.language .. " · not run"
  end
  return block
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
  local count = #self.conversation.fold.items
  local item, block = self.conversation.fold.items[count], self.blocks[count]
  local line = item and item.active_line
  local there = line and line <= #item.code.lines
  decorate.active_line(self.buf, there and self.rows[count] + block.code[1] + line - 1 or nil)
end

function View:draw_status()
  decorate.status(self.buf, keys.hint(self.conversation, self.editing))
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

--- Move the cursor to the next of a person's words, or the one before.
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
