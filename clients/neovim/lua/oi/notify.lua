-- Messages to the person that belong to no conversation.
local ROOM = 13 -- columns of the command line that 'ruler' and 'showcmd' take

--- Show a message in one line: a longer one would block the editor until a key is pressed.
---@param text string
return function(text)
  text = "oi: " .. text:gsub("%s+", " ")
  if vim.api.nvim_strwidth(text) > vim.o.columns - ROOM then
    text = vim.fn.strcharpart(text, 0, vim.o.columns - ROOM - 1) .. "…"
  end
  vim.notify(text, vim.log.levels.WARN)
end
