-- What a person can do with a conversation: requests to the daemon, and what they change at once.
local Conversation = require("oi.conversation")
local daemon = require("oi.daemon")
local notify = require("oi.notify")
local M = {}

--- Whether a turn is under way, which keeps from this. If so, a notification says so.
---@param conversation oi.Conversation
---@return boolean
local function refuses(conversation)
  if conversation:is_busy() then
    notify("a turn is under way: wait for it, or stop it (:OI stop).")
  end
  return conversation:is_busy()
end

--- A callback that shows an error in the conversation, and otherwise goes on.
---@param conversation oi.Conversation
---@param go_on? fun()
---@return fun(err?: oi.Error)
local function or_error(conversation, go_on)
  return function(err)
    if err then
      conversation:show_error(err)
    elseif go_on then
      go_on()
    end
  end
end

--- Ask the model. While a turn is under way, the words wait for its end.
---@param conversation oi.Conversation
---@param words string
function M.ask(conversation, words)
  if conversation:is_busy() then
    return conversation:queue(words)
  end
  conversation:retract_failed()
  local callback = conversation:begin_turn(words, true)
  conversation.fold:remove_notices() -- they have been read
  conversation.fold:ask(words)
  daemon.request("oi/stream", { conversation = conversation.id, message = words }, callback)
  conversation:changed()
end

--- Run code of the person's own. While a turn is under way, it waits for its end.
---@param conversation oi.Conversation
---@param language string
---@param code string
---@param begins? fun() Called just before it begins, which may be at the end of a turn under way.
function M.execute(conversation, language, code, begins)
  if conversation:is_busy() then
    if not begins then
      notify("a turn is under way: the code waits for its end.")
    end
    return conversation:when_idle(function()
      M.execute(conversation, language, code, begins)
    end)
  end
  if begins then
    begins()
  end
  local callback = conversation:begin_turn(code)
  local params = { conversation = conversation.id, language = language, code = code }
  daemon.request("oi/execute", params, callback)
  conversation:changed()
end

--- Answer for the block that waits.
---@param conversation oi.Conversation
---@param decision "run"|"skip"|"stop"|"always"
---@param code? string Runs in place of the model's.
function M.approve(conversation, decision, code)
  local approval = conversation.approval
  if not approval then
    return notify("no block waits for an answer.")
  end
  local runs = decision == "run" or decision == "always"
  conversation.approval = nil
  conversation:enter(runs and "running" or "thinking")
  local params = {
    conversation = conversation.id,
    approval = approval,
    decision = decision,
    code = runs and code or nil,
  }
  local callback = or_error(conversation, function()
    if decision == "always" then
      conversation:read_settings()
    end
  end)
  daemon.request("oi/approve", params, callback)
  conversation:changed()
end

--- Give the running code a line. Without one, tell it that the input has ended.
---@param conversation oi.Conversation
---@param line? string
function M.answer(conversation, line)
  local input = conversation.input
  if not input then
    return
  end
  conversation.input = nil
  conversation:enter("running")
  local value = line or vim.NIL --[[@as string]]
  local params = { conversation = conversation.id, input = input.id, value = value }
  daemon.request("oi/input", params, or_error(conversation))
  conversation:changed()
end

--- Stop the turn, whatever it is doing.
---@param conversation oi.Conversation
function M.interrupt(conversation)
  if conversation:is_busy() then
    daemon.request("oi/interrupt", { conversation = conversation.id }, or_error(conversation))
  end
end

--- Remove the last message of the person and all that answered it.
---@param conversation oi.Conversation
function M.undo(conversation)
  if not refuses(conversation) then
    conversation.outcome = nil
    local params = { conversation = conversation.id }
    daemon.request("oi/history/undo", params, or_error(conversation))
  end
end

--- Begin anew: no messages, fresh interpreters, and a question before each block.
---@param conversation oi.Conversation
function M.reset(conversation)
  if not refuses(conversation) then
    conversation.outcome, conversation.title = nil, ""
    local params = { conversation = conversation.id }
    daemon.request("oi/history/reset", params, or_error(conversation))
  end
end

Conversation.ask = M.ask

return M
