-- Editing a block that waits: its code alone, in a file of this session, so that it has filetype,
-- undo, completion and language servers, and all writing is Vim's own. Writing runs nothing.
local actions = require("oi.actions")
local config = require("oi.config")
local keys = require("oi.keys")
local languages = require("oi.languages")
local lookup = require("oi.lookup")
local notify = require("oi.notify")
local window = require("oi.window")
local M = {}

---@class oi.Edit
---@field buf integer
---@field conversation oi.Conversation
---@field approval string
---@field code string What it began with.

---@type table<integer, oi.Edit>
local edits = {}

---@param buf integer
---@return string
local function code_of(buf)
  return table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n")
end

--- The block that waits cannot be edited any longer. What a person has made of it stays.
---@param edit oi.Edit
local function close(edit)
  edits[edit.buf] = nil
  edit.conversation:watch(edit, nil)
  if not vim.api.nvim_buf_is_loaded(edit.buf) then
    return
  elseif vim.bo[edit.buf].modified then
    pcall(vim.keymap.del, "n", config.options.keys.approve or "", { buffer = edit.buf })
    return notify("the block no longer waits: what you made of it stays in its buffer.")
  end
  vim.api.nvim_buf_delete(edit.buf, { force = true })
end

--- A buffer with the code of the block that waits.
---@param conversation oi.Conversation
---@return oi.Edit
local function create(conversation)
  local item = conversation.fold.items[#conversation.fold.items]
  local folder, filetype = vim.fn.tempname(), languages.filetype(item.language)
  vim.fn.mkdir(folder)
  local path = vim.fs.joinpath(folder, "block." .. languages.suffix(item.language))
  vim.fn.writefile(vim.split(tostring(item.text):gsub("\n$", ""), "\n"), path)
  local buf = vim.fn.bufadd(path)
  vim.bo[buf].swapfile = false
  vim.fn.bufload(buf)
  vim.bo[buf].bufhidden = "hide"
  if vim.bo[buf].filetype ~= filetype then
    vim.bo[buf].filetype = filetype
  end
  if config.options.keys.approve then
    vim.keymap.set("n", config.options.keys.approve, "<Plug>(oi-approve)", { buffer = buf })
  end
  lookup.attach(buf, conversation)
  local approval = conversation.approval or ""
  local edit = { buf = buf, conversation = conversation, approval = approval, code = code_of(buf) }
  edits[buf] = edit
  conversation:watch(edit, function()
    if conversation.approval ~= approval then
      vim.schedule(function()
        close(edit)
      end)
    end
  end)
  return edit
end

--- The edit of the block that waits in a conversation, if it has been begun.
---@param conversation oi.Conversation
---@return oi.Edit?
function M.of(conversation)
  for buf, edit in pairs(edits) do
    if edit.conversation == conversation and vim.api.nvim_buf_is_loaded(buf) then
      return edit
    end
  end
end

--- The edit in a buffer.
---@param buf integer
---@return oi.Edit?
function M.at(buf)
  return edits[buf]
end

--- Whether it says something else than the block, and is on the screen.
---@param edit oi.Edit
---@return boolean differs
---@return boolean is_shown
function M.look(edit)
  return code_of(edit.buf) ~= edit.code, vim.fn.bufwinid(edit.buf) ~= -1
end

--- Edit the block that waits, or go on with it.
---@param conversation oi.Conversation
function M.begin(conversation)
  if not conversation.approval then
    return notify("no block waits for an answer.")
  end
  local edit = M.of(conversation) or create(conversation)
  window.open_below(edit.buf, keys.edit_hint())
end

--- Run what was made of the block.
---@param edit oi.Edit
---@param decision "run"|"always"
function M.run(edit, decision)
  local code = code_of(edit.buf)
  vim.bo[edit.buf].modified = false
  actions.approve(edit.conversation, decision, code)
end

return M
