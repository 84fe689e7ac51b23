-- Code that a person runs where they write it: its active line, output and error beside it.
local Conversation = require("oi.conversation")
local View = require("oi.view")
local actions = require("oi.actions")
local config = require("oi.config")
local decorate = require("oi.decorate")
local highlight = require("oi.highlight")
local languages = require("oi.languages")
local layout = require("oi.layout")
local lookup = require("oi.lookup")
local picture = require("oi.picture")

local namespace = vim.api.nvim_create_namespace("oi.run")
local DRAW_EVERY = 50 -- milliseconds

---@class oi.Run
---@field private buf integer
---@field private conversation oi.Conversation
---@field private fold? oi.Fold What the conversation had when it began. Nil: it waits.
---@field private before integer How many items that had.
---@field private item? oi.Item
---@field private marks { code: integer, output: integer, line: integer }
---@field private placed table<string, oi.Placement>
---@field private is_scheduled boolean
---@field private ended fun(failed: boolean)
local Run = {}
Run.__index = Run

---@type oi.Run[]
local runs = {}

--- The conversation in which code of a buffer runs: its own, or else the latest.
---@param buf integer
---@return oi.Conversation
local function conversation_of(buf)
  local id = vim.b[buf].oi_conversation
  local conversation = id and Conversation.get(id) or Conversation.latest() or Conversation.get()
  lookup.attach(buf, conversation)
  View.get(conversation)
  return conversation
end

--- Run lines of a buffer.
---@param buf integer
---@param cell oi.Cell
---@param ended? fun(failed: boolean) Called once it has ended.
function Run.begin(buf, cell, ended)
  Run.clear(buf, cell.first, cell.last)
  highlight.define()
  local self = setmetatable({
    buf = buf,
    conversation = conversation_of(buf),
    before = 0,
    marks = {},
    placed = {},
    is_scheduled = false,
    ended = ended or function() end,
  }, Run)
  self.marks.code = vim.api.nvim_buf_set_extmark(buf, namespace, cell.first - 1, 0, {
    end_row = cell.last - 1,
    end_col = #vim.api.nvim_buf_get_lines(buf, cell.last - 1, cell.last, false)[1],
    end_right_gravity = true,
  })
  table.insert(runs, self)
  self.conversation:watch(self, function()
    self:schedule()
  end)
  local language = languages.of_filetype(cell.language)
  actions.execute(self.conversation, language, cell.code, function()
    self.fold, self.before = self.conversation.fold, #self.conversation.fold.items
  end)
end

--- First and last row of its code now.
---@private
---@return integer? first Nil: the buffer is gone.
---@return integer last
function Run:rows()
  if not vim.api.nvim_buf_is_loaded(self.buf) then
    return nil, 0
  end
  local at = vim.api.nvim_buf_get_extmark_by_id(self.buf, namespace, self.marks.code, {
    details = true,
  })
  return at[1], at[3] and at[3].end_row or 0
end

---@private
function Run:schedule()
  if not self.is_scheduled then
    self.is_scheduled = true
    vim.defer_fn(function()
      self.is_scheduled = false
      self:draw()
    end, DRAW_EVERY)
  end
end

--- Find what the conversation has of it.
---@private
function Run:find_item()
  local items = self.fold == self.conversation.fold and self.conversation.fold.items or {}
  for _, item in ipairs(self.fold and vim.list_slice(items, self.before + 1) or {}) do
    if item.kind == "code" then
      self.item = self.item or item
    end
  end
end

---@private
---@param name "output"|"line"
---@param row integer
---@param mark vim.api.keyset.set_extmark
function Run:put(name, row, mark)
  mark.id = self.marks[name]
  self.marks[name] = vim.api.nvim_buf_set_extmark(self.buf, namespace, row, 0, mark)
end

---@private
function Run:draw()
  local first, last = self:rows()
  if not first or not vim.list_contains(runs, self) then
    return
  end
  self:find_item()
  local item, is_over = self.item, not self.conversation:is_busy()
  if not item then
    local words = is_over and "not run" or "waits for the turn's end"
    self:put("output", last, { virt_text = { { "  " .. words, "OIHint" } } })
  else
    is_over = is_over or self.conversation.fold.items[#self.conversation.fold.items] ~= item
    self:draw_output(item, last, is_over)
    self:draw_line(item, first)
  end
  if is_over and (item or self.fold) then
    self.conversation:watch(self, nil)
    local ended = self.ended
    self.ended = function() end
    Run.diagnose(self.buf)
    ended(not item or item.status ~= nil)
  end
end

---@private
---@param item oi.Item
---@param last integer
---@param is_over boolean
function Run:draw_output(item, last, is_over)
  picture.save(item)
  local lines, more = layout.virtual(layout.block(item, item.pictures), config.options.output_lines)
  if more > 0 then
    table.insert(
      lines,
      { { ("··· %d more lines (:OI output shows all)"):format(more), "OIHint" } }
    )
  end
  local words = is_over and layout.ending(item) or "…"
  local group = item.status and "OIError" or "OIHint"
  self:put("output", last, {
    virt_text = { { "  " .. (words == "" and "✓" or words), group } },
    virt_lines = lines,
  })
  local rows = {}
  for _, path in ipairs(item.pictures or {}) do
    rows[path] = last
  end
  picture.place(self.buf, self.placed, rows)
end

---@private
---@param item oi.Item
---@param first integer
function Run:draw_line(item, first)
  if item.active_line then
    self:put("line", first + item.active_line - 1, decorate.ACTIVE_LINE)
  elseif self.marks.line then
    vim.api.nvim_buf_del_extmark(self.buf, namespace, self.marks.line)
    self.marks.line = nil
  end
end

--- Show the errors of all code of a buffer as diagnostics.
---@param buf integer
function Run.diagnose(buf)
  local diagnostics = {} ---@type vim.Diagnostic[]
  for _, run in ipairs(runs) do
    local first = run.buf == buf and run:rows()
    local item = run.item
    local failure = item and item.error
    if first and item and failure then
      table.insert(diagnostics, {
        lnum = first + (item.last_line or 1) - 1,
        col = 0,
        severity = vim.diagnostic.severity.ERROR,
        message = ("%s: %s"):format(failure.name, failure.message),
        source = "oi",
      })
    end
  end
  vim.diagnostic.set(namespace, buf, diagnostics)
end

--- Remove what is shown beside lines of a buffer.
---@param buf integer
---@param first integer From 1.
---@param last integer
function Run.clear(buf, first, last)
  for i = #runs, 1, -1 do
    local run = runs[i]
    local top, bottom = run:rows()
    if not top or run.buf == buf and top < last and bottom >= first - 1 then
      table.remove(runs, i)
      run.conversation:watch(run, nil)
      if top then
        picture.place(buf, run.placed, {})
        for _, mark in pairs(run.marks) do
          vim.api.nvim_buf_del_extmark(buf, namespace, mark)
        end
      end
    end
  end
  Run.diagnose(buf)
end

--- What the code at a line has written.
---@param buf integer
---@param line integer
---@return oi.Item?
function Run.item_at(buf, line)
  for _, run in ipairs(runs) do
    local first, last = run:rows()
    if run.buf == buf and first and line > first and line <= last + 1 then
      return run.item
    end
  end
end

return Run
