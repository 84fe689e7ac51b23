-- A conversation's buffer: which there are, and what happens to them. It is drawn a few times a
-- second at most.
local Conversation = require("oi.conversation")
local Drawing = require("oi.drawing")
local Sight = require("oi.sight")
local decorate = require("oi.decorate")
local highlight = require("oi.highlight")
local keys = require("oi.keys")
local input = require("oi.input")
local markdown = require("oi.markdown")
local syntax = require("oi.syntax")
local window = require("oi.window")

local DRAW_EVERY = 30 -- milliseconds
local COUNT_EVERY = 1000 -- milliseconds between two changes of the time that is shown

---@class oi.View
---@field conversation oi.Conversation
---@field buf integer
---@field drawing oi.Drawing
---@field sight oi.Sight
---@field private name string The buffer's name.
---@field private bar string What the winbar says.
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

--- The view that shows a conversation. It is made if there is none.
---@param conversation oi.Conversation
---@param buf? integer Where to show it. Default: a new buffer.
---@return oi.View
function View.get(conversation, buf)
  for _, view in pairs(views) do
    if view.conversation == conversation then
      return view
    end
  end
  local name = "oi://" .. conversation.id
  buf = buf or new_buffer(name)
  local self = setmetatable({
    conversation = conversation,
    buf = buf,
    drawing = Drawing.new(buf),
    sight = Sight.new(),
    name = name,
    bar = "",
    is_scheduled = false,
    is_counting = false,
  }, View)
  views[self.buf] = self
  self:prepare()
  self:watch()
  conversation:watch(self, function()
    self:schedule()
  end)
  self:draw()
  return self
end

--- Fill a buffer that Neovim reads, as by `:edit oi://ID` or `:edit!`, or that a session restores.
---@param buf integer
---@param name string
function View.read(buf, name)
  local id = name:match("^oi://(.+)$")
  if id then
    local view = View.of(buf) or View.get(Conversation.get(id), buf)
    for _, win in ipairs(vim.fn.win_findbuf(view.buf)) do
      vim.api.nvim_win_call(win, function()
        window.set_up(view)
      end)
    end
  end
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
    input.offer(self.conversation)
  end)
  on({ "BufWriteCmd", "FileAppendCmd" }, function(event)
    self:write(event)
  end)
  on({ "CursorMoved", "WinScrolled" }, function()
    self.sight:look(self)
  end)
  vim.api.nvim_create_autocmd("ModeChanged", {
    group = group,
    pattern = "*:n*",
    callback = vim.schedule_wrap(function()
      if vim.api.nvim_get_current_buf() == self.buf then
        input.offer(self.conversation)
      end
    end),
  })
  on("BufUnload", function()
    views[self.buf] = nil
    self.drawing:close_pictures()
    self.conversation:watch(self, nil)
    self.conversation:release()
    vim.api.nvim_del_augroup_by_id(group)
  end)
end

--- Write the conversation to a file, as Markdown. Writing never runs code: the daemon saves the
--- conversation, and a block goes on waiting.
---@private
---@param event { match: string, event: string }
function View:write(event)
  if event.match == self.name then
    return vim.api.nvim_echo(
      { { "The daemon has saved it; :w FILE writes it as Markdown." } },
      false,
      {}
    )
  end
  local first, last = vim.fn.line("'["), vim.fn.line("']")
  local is_whole = first == 1 and last == vim.api.nvim_buf_line_count(self.buf)
  local lines = is_whole and markdown.lines(self.conversation.fold)
    or vim.api.nvim_buf_get_lines(self.buf, first - 1, last, false)
  markdown.write(lines, event.match, event.event == "FileAppendCmd")
  vim.schedule(function()
    self:restore_name()
  end)
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

--- Rows of the code that waits for a yes: the first, and the one after the last.
---@return integer? first Nil: none waits.
---@return integer after
function View:waiting_rows()
  if not self.conversation.approval then
    return nil, 0
  end
  return self.drawing:last_code()
end

function View:draw()
  self.drawing:update(self.conversation)
  self:draw_status()
  self.sight:look(self)
  keys.answer(self.buf, self.conversation)
  self:count()
  vim.schedule(function()
    input.offer(self.conversation)
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
      self:count()
    end
  end, COUNT_EVERY)
end

--- The last line, and the bars of all windows, which need not have the focus.
---@private
function View:draw_status()
  decorate.status(self.buf, keys.hint(self.conversation))
  local bar = window.words(self.conversation)
  if bar ~= self.bar then
    self.bar = bar
    vim.cmd.redrawstatus({ bang = true })
  end
end

return View
