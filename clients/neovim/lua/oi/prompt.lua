-- Asks for the line that code waits for.
local M = {}

---@type table<oi.Conversation, string> The input that was asked for last.
local asked = setmetatable({}, { __mode = "k" })

---@param input { prompt: string, password: boolean }
---@param answer fun(line?: string)
local function ask(input, answer)
  if input.password then
    local ok, line = pcall(vim.fn.inputsecret, input.prompt)
    answer(ok and line or nil)
  else
    vim.ui.input({ prompt = input.prompt }, answer)
  end
end

--- Ask once for each input, in Normal mode alone: nobody's typing is taken for an answer.
---@param conversation oi.Conversation
---@param again? boolean
function M.offer(conversation, again)
  local input = conversation.input
  if not input or vim.api.nvim_get_mode().mode ~= "n" then
    return
  elseif asked[conversation] ~= input.id or again then
    asked[conversation] = input.id
    vim.cmd.redraw() -- what was drawn last is seen while the prompt stands
    ask(input, function(line)
      if conversation.input == input then
        conversation:answer(line)
      end
    end)
  end
end

return M
