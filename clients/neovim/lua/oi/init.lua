-- The public Lua API. Everything else may change.
local M = {}

--- Merge options into the defaults. It is optional to call this.
---@param options? table See |oi-options|.
function M.setup(options)
  require("oi.config").merge(options)
end

---@class oi.ChatOptions
---@field conversation? string Id of the conversation. Default: the current buffer's, or the latest.
---@field new? boolean Whether to begin a new conversation.
---@field mods? oi.Modifiers Where the window opens.
---@field focus? boolean Whether to go to its window. Default: true.
---@field attachment? string Text that the prompt begins with, below the cursor.

--- The conversation that the options mean, in a window.
---@param options oi.ChatOptions
---@return oi.Conversation
local function open(options)
  local Conversation, View = require("oi.conversation"), require("oi.view")
  local view = View.of()
  local conversation = options.conversation and Conversation.get(options.conversation)
    or not options.new and (view and view.conversation or Conversation.latest())
    or Conversation.get()
  local buf = View.get(conversation).buf
  require("oi.window").open(buf, options.mods, options.focus ~= false)
  return conversation
end

--- Open a conversation and ask. Without words, open its prompt.
---@param words? string
---@param options? oi.ChatOptions
---@return string conversation Id of the conversation.
function M.chat(words, options)
  options = options or {}
  local conversation = open(options)
  if words then
    require("oi.actions").ask(conversation, words)
  else
    require("oi.prompt").open(conversation, options.attachment)
  end
  return conversation.id
end

--- Run code of the person's own in a conversation, without a question.
---@param language string The name of a language, or a filetype.
---@param code string
---@param options? oi.ChatOptions
---@return string conversation Id of the conversation.
function M.execute(language, code, options)
  local conversation = open(options or {})
  require("oi.actions").execute(conversation, require("oi.languages").of_filetype(language), code)
  return conversation.id
end

--- An 'operatorfunc': run the text that a motion covers, and show beside it what it writes.
---@param kind "line"|"char"|"block"
function M.operator(kind)
  require("oi.command").operate(kind)
end

--- Call a function for each chunk of every conversation.
---@param observe fun(params: oi.ChunkParams)
---@return fun() stop Ends it.
function M.on_chunk(observe)
  return require("oi.conversation").observe(observe)
end

--- State of the latest conversation, for a statusline. Empty while it is idle.
---@return string
function M.statusline()
  local Conversation = package.loaded["oi.conversation"]
  local latest = Conversation and Conversation.latest()
  return latest and latest:is_busy() and "oi: " .. latest:words() or ""
end

return M
