-- Words to the person that stand in no conversation.
local ROOM = 13 -- columns of the command line that 'ruler' and 'showcmd' take

--- Cut to one line: a longer message would hold the editor up until a key is pressed.
---@param text string
return function(text)
  text = "oi: " .. text:gsub("%s+", " ")
  if vim.api.nvim_strwidth(text) > vim.o.columns - ROOM then
    text = vim.fn.strcharpart(text, 0, vim.o.columns - ROOM - 1) .. "…"
  end
  vim.notify(text, vim.log.levels.WARN)
end
