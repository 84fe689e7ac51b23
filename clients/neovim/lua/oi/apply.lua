-- Code of an answer into the file that it is for: as a diff, of which a person takes what is good.
local mention = require("oi.mention")
local notify = require("oi.notify")
local M = {}

local BAR = " %#OIKey#<CR>%#OIHint# accept all  %#OIKey#dp%#OIHint# this part"
  .. "  %#OIKey#:tabclose%#OIHint# leave it%*"

--- Show what the file would become, beside it. If lines of it went along with a message, the code
--- takes their place, otherwise that of the whole file.
---@param code string
function M.show(code)
  local buf, first, last = mention.taken()
  if not buf then
    return notify("there is no file to change: open it first.")
  end
  local lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  local wanted = vim.list_slice(lines, 1, first - 1)
  vim.list_extend(wanted, vim.split(code, "\n"))
  vim.list_extend(wanted, vim.list_slice(lines, last + 1))

  vim.cmd(("tab sbuffer %d | diffthis"):format(buf))
  local scratch = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(scratch, 0, -1, false, wanted)
  vim.bo[scratch].bufhidden = "wipe"
  vim.bo[scratch].filetype = vim.bo[buf].filetype
  vim.cmd(("vertical sbuffer %d | diffthis"):format(scratch))
  vim.wo[0][0].winbar = BAR
  vim.keymap.set("n", "<CR>", function()
    local accepted = vim.api.nvim_buf_get_lines(scratch, 0, -1, false)
    vim.api.nvim_buf_set_lines(buf, 0, -1, false, accepted)
    vim.cmd.diffoff({ bang = true })
    vim.cmd.tabclose()
  end, { buffer = scratch })
end

return M
