-- Keys of a conversation's buffer, and the hints that name them.
local config = require("oi.config")
local M = {}

local ALWAYS = { "stop", "chat", "next", "previous", "yank" }
local WAITING = { "approve", "edit", "skip", "always" }
local LABELS = { approve = "run", edit = "edit", skip = "skip", always = "always", stop = "stop" }

---@param buf integer
---@param names string[]
---@param is_mapped boolean
local function set(buf, names, is_mapped)
  for _, name in ipairs(names) do
    local key = config.options.keys[name]
    if key and is_mapped then
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

--- Map the keys that answer, but only while something waits: otherwise they are Vim's own.
---@param buf integer
---@param conversation oi.Conversation
function M.answer(buf, conversation)
  local state = conversation.state
  local waits = (state == "approval" or state == "input") and state or ""
  if vim.b[buf].oi_waits ~= waits then
    set(buf, WAITING, waits == "approval")
    set(buf, { "approve" }, waits ~= "")
    vim.b[buf].oi_waits = waits
  end
end

---@param key string
---@param label string
---@return string[][] virt_text
local function key_hint(key, label)
  key = key:gsub("<[Ll]ocal[Ll]eader>", vim.g.maplocalleader or "\\")
  key = key:gsub("<[Ll]eader>", vim.g.mapleader or "\\")
  return { { key, "OIKey" }, { (" %s  "):format(label), "OIHint" } }
end

---@param names string[]
---@param labels? table<string, string> Default: `LABELS`.
---@return string[][] virt_text
local function key_hints(names, labels)
  local text = {}
  for _, name in ipairs(names) do
    local key = config.options.keys[name]
    if key then
      vim.list_extend(text, key_hint(key, (labels or LABELS)[name] or name))
    end
  end
  return text
end

--- What can be done now.
---@param conversation oi.Conversation
---@return string[][] virt_text
function M.hint(conversation)
  local state = conversation.state
  if state == "approval" then
    return key_hints({ "approve", "edit", "skip", "stop", "always" })
  elseif state == "input" then
    return key_hints({ "approve", "stop" }, { approve = "answer", stop = "stop" })
  elseif state == "idle" then
    return key_hints({ "chat" }, { chat = "ask" })
  end
  local text = { { conversation:words() .. " … ", "OIHint" } }
  return vim.list_extend(text, key_hints({ "stop" }))
end

--- What can be done where a block is edited.
---@return string[][] virt_text
function M.edit_hint()
  local run = key_hint(config.options.keys.approve or ":OI run", "run what is here")
  return vim.list_extend(run, key_hint(":q", "leave it"))
end

return M
