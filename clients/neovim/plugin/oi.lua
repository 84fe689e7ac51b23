if vim.g.loaded_oi then
  return
end
vim.g.loaded_oi = true

vim.api.nvim_create_user_command("OIChat", function(opts)
  require("oi.command").chat(opts)
end, { nargs = "*", bang = true, range = true, desc = "Ask Open Interpreter" })

vim.api.nvim_create_user_command("OI", function(opts)
  require("oi.command").run(opts)
end, {
  nargs = "*",
  range = true,
  complete = function(lead, line)
    return require("oi.command").complete(lead, line)
  end,
  desc = "Run, approve, skip, stop and more: see :help :OI",
})

local group = vim.api.nvim_create_augroup("oi", {})

vim.api.nvim_create_autocmd("BufReadCmd", {
  group = group,
  pattern = "oi://*",
  callback = function(event)
    require("oi.view").read(event.buf, event.match)
  end,
})

vim.api.nvim_create_autocmd("SessionLoadPost", {
  group = group,
  callback = function()
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      local buf = vim.api.nvim_win_get_buf(win)
      local name = vim.api.nvim_buf_get_name(buf)
      if name:find("^oi://") then
        require("oi.view").read(buf, name)
      end
    end
  end,
})

vim.keymap.set({ "n", "x" }, "<Plug>(oi-operator)", function()
  vim.o.operatorfunc = "v:lua.require'oi'.operator"
  return "g@"
end, { expr = true })

for name, command in pairs({
  chat = ":OIChat",
  new = ":OIChat!",
  run = ":OI run",
  approve = "<Cmd>OI approve",
  edit = "<Cmd>OI edit",
  skip = "<Cmd>OI skip",
  stop = "<Cmd>OI stop",
  always = "<Cmd>OI always",
  open = "<Cmd>OI open",
  undo = "<Cmd>OI undo",
  next = "<Cmd>OI next",
  previous = "<Cmd>OI previous",
  yank = "<Cmd>OI yank",
  toggle = "<Cmd>OI toggle",
  all = "<Cmd>OI all",
  clear = ":OI clear",
  output = "<Cmd>OI output",
}) do
  local modes = command:find("^:") and { "n", "x" } or { "n" }
  vim.keymap.set(modes, ("<Plug>(oi-%s)"):format(name), command .. "<CR>", { silent = true })
end
