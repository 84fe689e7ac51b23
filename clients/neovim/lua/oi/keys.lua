-- Keys of a conversation's buffer, and the hints that name them.
local config = require("oi.config")
local M = {}

local ALWAYS = { "stop", "chat", "next", "previous", "yank" }
local WAITING = { "approve", "edit", "skip", "always" }
local WORDS = { approve = "run", edit = "edit", skip = "skip", always = "always", stop = "stop" }

---@param buf integer
---@param names string[]
---@param on boolean
local function set(buf, names, on)
  for _, name in ipairs(names) do
    local key = config.options.keys[name]
    if key and on then
      vim.keymap.set("n", key, ("<Plug>(oi-%s)"):format(name), { buffer = buf, nowait = true })
    elseif key then
      pcall(vim.keymap.del, "n", key, { buffer = buf })
    end
  end
end

---@param buf integer
function M.map(buf)
  set(buf, ALWAYS, true)
end

--- The keys that answer: there only while something waits, so that they are Vim's own else. While
--- a block is edited, the key that asks is Vim's own as well.
---@param buf integer
---@param conversation? oi.Conversation None: it is being edited.
function M.answer(buf, conversation)
  local state = conversation and conversation.state or "edit"
  local waits = (state == "approval" or state == "input" or state == "edit") and state or ""
  if vim.b[buf].oi_waits ~= waits then
    set(buf, WAITING, waits == "approval")
    set(buf, { "approve" }, waits == "approval" or waits == "input")
    set(buf, { "chat" }, waits ~= "edit")
    vim.b[buf].oi_waits = waits
  end
end

---@param names string[]
---@param words? table<string, string>
---@return string[][] virt_text
local function named(names, words)
  local text = {}
  for _, name in ipairs(names) do
    local key = config.options.keys[name]
    if key then
      local word = (words or WORDS)[name]
      vim.list_extend(text, { { key, "OIKey" }, { (" %s  "):format(word), "OIHint" } })
    end
  end
  return text
end

--- What can be done now.
---@param conversation oi.Conversation
---@param editing boolean
---@return string[][] virt_text
function M.hint(conversation, editing)
  local state = conversation.state
  if editing then
    local text = { { ":w", "OIKey" }, { " runs it  ", "OIHint" } }
    return vim.list_extend(text, { { ":e!", "OIKey" }, { " leaves it as it was", "OIHint" } })
  elseif state == "approval" then
    return named({ "approve", "edit", "skip", "stop", "always" })
  elseif state == "input" then
    return named({ "approve", "stop" }, { approve = "answer", stop = "stop" })
  elseif state == "idle" then
    return named({ "chat" }, { chat = "ask" })
  end
  local text = { { state .. " … ", "OIHint" } }
  return vim.list_extend(text, named({ "stop" }))
end

return M
