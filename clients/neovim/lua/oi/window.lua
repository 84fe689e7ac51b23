-- Windows that show a conversation: how they are opened and set up, and their winbar.
local Activity = require("oi.activity")
local config = require("oi.config")
local M = {}

local OPTIONS = {
  number = false,
  relativenumber = false,
  signcolumn = "yes:1",
  foldcolumn = "0",
  foldmethod = "manual",
  foldenable = true,
  foldminlines = 0,
  foldtext = "v:lua.require'oi.window'.foldtext()",
  wrap = true,
  linebreak = true,
  list = false,
  spell = false,
  conceallevel = 0,
  winhighlight = "@markup.raw.block.markdown:OICode", -- code keeps only its own colours
  winbar = "%{%v:lua.require'oi.window'.winbar()%}",
}
local namespace = vim.api.nvim_create_namespace("oi.window")
local HEAD, TAIL = 5, 5 -- lines of a folded output that stay visible

--- Set up the current window, which now shows the conversation.
---@param view oi.View
function M.set_up(view)
  local win = vim.api.nvim_get_current_win()
  for name, value in pairs(OPTIONS) do
    vim.wo[win][0][name] = value
  end
  vim.cmd("normal! zE")
  for i, block in ipairs(view.drawing.blocks) do
    if block.is_folded then
      M.fold(win, view.drawing.rows[i], block)
    end
  end
end

--- The lines of a block that are folded: all of its thinking, or its long output but for both ends.
---@param start integer The block's first row.
---@param block oi.Block
---@return integer first
---@return integer last Less than `first` if nothing is folded.
local function folded(start, block)
  if block.item.kind == "thinking" then
    return start + 1, start + #block.lines - 1
  elseif block.output[2] - block.output[1] <= config.options.output_lines then
    return 1, 0
  end
  return start + block.output[1] + HEAD + 1, start + block.output[2] - TAIL
end

--- Fold what is folded of a block.
---@param win integer
---@param start integer The block's first row.
---@param block oi.Block
function M.fold(win, start, block)
  local first, last = folded(start, block)
  if last >= first then
    vim.api.nvim_win_call(win, function()
      vim.cmd(("silent %d,%dfold"):format(first, last))
      if vim.fn.line(".") == vim.fn.line("$") then
        vim.cmd("normal! zb") -- fill the rows that became free with lines from above
      end
    end)
  end
end

---@return string|string[][]
function M.foldtext()
  local view = require("oi.view").of()
  local item = view and view.drawing:item_at(vim.v.foldstart - 1)
  if item and item.kind == "thinking" then
    return { { Activity.thought(item.seconds or 0) .. " (zo shows it) ", "OIThinking" } }
  end
  return ("··· %d more lines (zo shows them) "):format(vim.v.foldend - vim.v.foldstart + 1)
end

---@param text string
---@return string
local function escaped(text)
  return (text:gsub("%%", "%%%%"))
end

--- The title, cut if it does not fit.
---@param title string
---@param width integer Columns that the rest of the winbar takes.
---@return string
local function shortened(title, width)
  local room = math.max(8, vim.api.nvim_win_get_width(0) - width)
  if vim.api.nvim_strwidth(title) <= room then
    return title
  end
  return vim.fn.strcharpart(title, 0, room - 1) .. "…"
end

--- What a winbar says of a conversation, but for its title.
---@param conversation oi.Conversation
---@return string state
---@return string model
---@return string cost
---@return string always
local function parts(conversation)
  return conversation:words(),
    conversation.model or "",
    conversation.cost > 0 and ("$%.4f"):format(conversation.cost) or "",
    conversation.auto_run and "always runs  " or ""
end

--- All that a winbar and a statusline say of a conversation.
---@param conversation oi.Conversation
---@return string
function M.words(conversation)
  return table.concat({ conversation.title, parts(conversation) }, "\0")
end

---@return string
function M.winbar()
  local view = require("oi.view").of()
  if not view then
    return ""
  end
  local conversation = view.conversation
  local state, model, cost, always = parts(conversation)
  local title = shortened(conversation.title, #state + #always + #model + #cost + 8)
  return (" %s%%=  %%#OIAlways#%s%%#%s#%s%%*  %s  %%#OICost#%s%%* "):format(
    escaped(title),
    always,
    conversation:is_busy() and "OIState" or "OICost",
    escaped(state),
    escaped(model),
    cost
  )
end

---@param buf integer
local function open_float(buf)
  local columns, lines = math.floor(vim.o.columns * 0.8), math.floor(vim.o.lines * 0.8)
  vim.api.nvim_open_win(buf, true, {
    relative = "editor",
    width = columns,
    height = lines,
    col = math.floor((vim.o.columns - columns) / 2),
    row = math.floor((vim.o.lines - lines) / 2) - 1,
    border = "rounded",
  })
end

--- Show a buffer. Without modifiers, use a window that shows it already.
---@param buf integer
---@param mods? oi.Modifiers
---@param focus boolean
function M.open(buf, mods, focus)
  local before = vim.api.nvim_get_current_win()
  local shown = vim.fn.bufwinid(buf)
  if shown ~= -1 and not mods then
    vim.api.nvim_set_current_win(shown)
  elseif not mods and config.options.window == "float" then
    open_float(buf)
  elseif mods then
    vim.cmd({ cmd = "sbuffer", args = { buf }, mods = mods })
  else
    vim.cmd(("%s sbuffer %d"):format(config.options.window, buf))
  end
  vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(buf), 0 })
  if not focus then
    vim.api.nvim_set_current_win(before)
  end
end

--- Show coloured lines in a window that floats at the cursor.
---@param title string
---@param lines string[][][] Lines of `virt_text`.
function M.show_lines(title, lines)
  local buf, width = vim.api.nvim_create_buf(false, true), 20
  for row, line in ipairs(lines) do
    local whole = table.concat(vim.tbl_map(function(part)
      return part[1]
    end, line))
    width = math.max(width, vim.api.nvim_strwidth(whole))
    vim.api.nvim_buf_set_lines(buf, row - 1, row, false, { whole })
    local column = 0
    for _, part in ipairs(line) do
      local mark = { end_col = column + #part[1], hl_group = part[2] }
      vim.api.nvim_buf_set_extmark(buf, namespace, row - 1, column, mark)
      column = column + #part[1]
    end
  end
  vim.bo[buf].bufhidden = "wipe"
  vim.bo[buf].modifiable = false
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = buf, nowait = true })
  vim.api.nvim_open_win(buf, true, {
    relative = "cursor",
    row = 1,
    col = 0,
    width = math.min(width, vim.o.columns - 4),
    height = math.max(1, math.min(#lines, math.floor(vim.o.lines / 2))),
    border = "rounded",
    title = title,
    style = "minimal",
  })
end

--- Show a buffer below the current window, with a line above it that says what can be done.
---@param buf integer
---@param hint string[][] virt_text
---@param least? integer Lines of the window.
function M.open_below(buf, hint, least)
  local shown = vim.fn.bufwinid(buf)
  if shown ~= -1 then
    return vim.api.nvim_set_current_win(shown)
  end
  local most = math.floor(vim.api.nvim_win_get_height(0) / 2)
  local height = math.max(least or 3, math.min(vim.api.nvim_buf_line_count(buf) + 2, most))
  vim.cmd(("belowright %d split"):format(height))
  vim.api.nvim_win_set_buf(0, buf)
  vim.wo[0][0].winfixheight = true
  local bar = vim.tbl_map(function(part)
    return ("%%#%s#%s"):format(part[2], escaped(part[1]))
  end, hint)
  vim.wo[0][0].winbar = " " .. table.concat(bar) .. "%*%<"
end

return M
