-- The buffer in which a person writes a message of many lines. Only its key sends it.
local View = require("oi.view")
local actions = require("oi.actions")
local mention = require("oi.mention")
local notify = require("oi.notify")
local window = require("oi.window")
local M = {}

local HEIGHT = 6 -- lines of its window
local HINT = {
  { "<CR>", "OIKey" },
  { " send  ", "OIHint" },
  { "<C-s>", "OIKey" },
  { " send from Insert mode  ", "OIHint" },
  { "@ #", "OIKey" },
  { " take along", "OIHint" },
}

---@type table<oi.Conversation, integer>
local buffers = setmetatable({}, { __mode = "k" })
---@type string[] What has been sent, the latest last.
local sent = {}

---@param buf integer
---@return string
local function text_of(buf)
  return table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n")
end

---@param buf integer
---@param text string
local function set_text(buf, text)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(text, "\n"))
end

---@param conversation oi.Conversation
---@param buf integer
local function send(conversation, buf)
  local words = vim.trim(text_of(buf))
  if words == "" then
    return notify("there is nothing to send yet.")
  end
  table.insert(sent, words)
  vim.cmd.stopinsert()
  set_text(buf, "")
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    pcall(vim.api.nvim_win_close, win, true)
  end
  window.open(View.get(conversation).buf, nil, true)
  actions.ask(conversation, mention.expand(words, conversation.cwd))
end

--- Keys that move the cursor, and at both ends of the text go through what has been sent.
---@param buf integer
local function map_history(buf)
  local at ---@type integer?
  for key, step in pairs({ ["<Up>"] = -1, ["<Down>"] = 1 }) do
    vim.keymap.set("i", key, function()
      local target = (at and sent[at] == text_of(buf) and at or #sent + 1) + step
      local is_at_end = vim.fn.line(".") == (step < 0 and 1 or vim.fn.line("$"))
      if not is_at_end or vim.fn.pumvisible() == 1 or target < 1 or target > #sent + 1 then
        return vim.api.nvim_feedkeys(vim.keycode(key), "n", false)
      end
      at = target
      set_text(buf, sent[at] or "")
      vim.api.nvim_win_set_cursor(0, { step < 0 and 1 or vim.fn.line("$"), 0 })
      vim.cmd.startinsert({ bang = true })
    end, { buffer = buf })
  end
end

---@param conversation oi.Conversation
---@return integer buf
local function create(conversation)
  local buf = vim.api.nvim_create_buf(false, true)
  buffers[conversation] = buf
  vim.api.nvim_buf_set_name(buf, "oi-prompt://" .. conversation.id)
  vim.bo[buf].bufhidden = "hide"
  vim.bo[buf].filetype = "markdown"
  vim.bo[buf].omnifunc = "v:lua.require'oi.mention'.complete"
  for key, modes in pairs({ ["<CR>"] = { "n" }, ["<C-s>"] = { "n", "i" } }) do
    vim.keymap.set(modes, key, function()
      send(conversation, buf)
    end, { buffer = buf })
  end
  map_history(buf)
  return buf
end

--- Open the prompt of a conversation, below the current window.
---@param conversation oi.Conversation
---@param attachment? string Text to send along.
function M.open(conversation, attachment)
  local buf = buffers[conversation]
  if not buf or not vim.api.nvim_buf_is_loaded(buf) then
    buf = create(conversation)
  end
  local unsent = not conversation:is_busy() and conversation:take_waiting()
  local parts = vim.tbl_filter(function(part)
    return part and part ~= ""
  end, { unsent or "", text_of(buf) })
  set_text(buf, table.concat(parts, "\n\n") .. (attachment or ""))
  window.open_below(buf, HINT, HEIGHT)
  vim.api.nvim_win_set_cursor(0, { attachment and 1 or vim.api.nvim_buf_line_count(buf), 0 })
  vim.cmd.startinsert({ bang = true })
end

return M
