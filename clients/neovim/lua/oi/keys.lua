-- Keys of a conversation's buffer, and the hints that name them.
local config = require("oi.config")
local M = {}

local ALWAYS = { "stop", "chat", "next", "previous", "yank" }
local WAITING = { "approve", "edit", "skip", "always" }
local WORDS =
  { approve = "run", edit = "edit", skip = "skip", always = "always run", stop = "stop" }

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

--- The keys that answer: there only while something waits, so that they are Vim's own else.
---@param buf integer
---@param conversation? oi.Conversation None: it is being edited.
function M.answer(buf, conversation)
  local approval = conversation and conversation.approval ~= nil or false
  local input = conversation and conversation.input ~= nil or false
  if vim.b[buf].oi_waits ~= (approval and "approval" or input and "input" or "") then
    set(buf, WAITING, approval)
    set(buf, { "approve" }, approval or input)
    vim.b[buf].oi_waits = approval and "approval" or input and "input" or ""
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
      vim.list_extend(text, { { key, "OIKey" }, { (" %s   "):format(word), "OIHint" } })
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
    local text = { { ":w", "OIKey" }, { " runs it   ", "OIHint" } }
    return vim.list_extend(text, { { ":e!", "OIKey" }, { " leaves it as it was", "OIHint" } })
  elseif state == "approval" then
    return named({ "approve", "edit", "skip", "always", "stop" })
  elseif state == "input" then
    return named({ "approve", "stop" }, { approve = "answer", stop = "stop" })
  elseif state == "idle" then
    return named({ "chat" }, { chat = "ask" })
  end
  local text = { { state .. " … ", "OIHint" } }
  return vim.list_extend(text, named({ "stop" }))
end

return M
