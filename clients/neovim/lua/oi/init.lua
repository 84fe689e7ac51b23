-- The public Lua API. Everything else may change.
local M = {}

--- Merge options into the defaults. Calling it is optional.
---@param options? table See |oi-options|.
function M.setup(options)
  require("oi.config").merge(options)
end

---@class oi.ChatOptions
---@field conversation? string Its id. Default: the current buffer's, or the latest.
---@field new? boolean Begin a new conversation.
---@field mods? vim.api.keyset.cmd.mods Modifiers of the window, as a command gets them.
---@field focus? boolean Go to its window. Default: true.

---@param options oi.ChatOptions
---@return oi.Conversation
local function opened(options)
  local Conversation, View = require("oi.conversation"), require("oi.view")
  local view = View.of()
  local conversation = options.conversation and Conversation.get(options.conversation)
    or not options.new and (view and view.conversation or Conversation.latest())
    or Conversation.get()
  local buf = View.get(conversation).buf
  require("oi.window").open(buf, options.mods, options.focus ~= false)
  return conversation
end

--- Open a conversation and ask; without words, the person is prompted for them.
---@param words? string
---@param options? oi.ChatOptions
---@return string conversation Its id.
function M.chat(words, options)
  local conversation = opened(options or {})
  if words then
    conversation:ask(words)
  elseif not conversation:refused() then
    vim.ui.input({ prompt = "Ask: " }, function(asked)
      if asked and vim.trim(asked) ~= "" then
        conversation:ask(asked)
      end
    end)
  end
  return conversation.id
end

--- Run code of the person's own in a conversation, unasked.
---@param language string Its name, or a filetype.
---@param code string
---@param options? oi.ChatOptions
---@return string conversation Its id.
function M.execute(language, code, options)
  local conversation = opened(options or {})
  for name, filetype in pairs(require("oi.layout").filetypes) do
    language = language == filetype and name or language
  end
  conversation:execute(language, code)
  return conversation.id
end

--- Be told of each chunk of every conversation.
---@param observe fun(params: oi.ChunkParams)
---@return fun() stop Be told no more.
function M.on_chunk(observe)
  return require("oi.conversation").observe(observe)
end

--- What the latest conversation is doing, for a statusline; empty while it does nothing.
---@return string
function M.statusline()
  local Conversation = package.loaded["oi.conversation"]
  local latest = Conversation and Conversation.latest()
  return latest and latest:busy() and "oi: " .. latest.state or ""
end

return M
