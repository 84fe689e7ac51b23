-- Asks the person for the line that the running code waits for.
local M = {}

---@type table<oi.Conversation, string> Id of the request that the person was asked for last.
local asked = setmetatable({}, { __mode = "k" })

---@param input oi.Input
---@param answer fun(line?: string)
local function ask(input, answer)
  if input.password then
    local ok, line = pcall(vim.fn.inputsecret, input.prompt)
    answer(ok and line or nil)
  else
    vim.ui.input({ prompt = input.prompt }, answer)
  end
end

--- Ask once for each request, in Normal mode only, so that no typing is taken for an answer.
---@param conversation oi.Conversation
---@param again? boolean Ask even if the person was asked before.
function M.offer(conversation, again)
  local input = conversation.input
  if not input or vim.api.nvim_get_mode().mode ~= "n" then
    return
  elseif asked[conversation] == input.id and not again then
    return
  end
  asked[conversation] = input.id
  vim.cmd.redraw() -- show what was drawn last while the prompt is open
  ask(input, function(line)
    if conversation.input == input then
      require("oi.actions").answer(conversation, line)
    end
  end)
end

return M
