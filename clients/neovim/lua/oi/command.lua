-- The commands :OIChat and :OI.
local Conversation = require("oi.conversation")
local Run = require("oi.run")
local View = require("oi.view")
local actions = require("oi.actions")
local cell = require("oi.cell")
local consent = require("oi.consent")
local daemon = require("oi.daemon")
local edit = require("oi.edit")
local fence = require("oi.fence")
local layout = require("oi.layout")
local mention = require("oi.mention")
local oi = require("oi")
local notify = require("oi.notify")
local window = require("oi.window")
local M = {}

---@alias oi.CommandArgs vim.api.keyset.create_user_command.command_args
---@alias oi.Modifiers table<string, any> `smods` of |nvim_create_user_command()|.

--- The command's modifiers, if it has some.
---@param opts oi.CommandArgs
---@return oi.Modifiers?
local function modifiers(opts)
  return opts.mods ~= "" and opts.smods or nil
end

--- The text of the command's range, if it has one.
---@param opts oi.CommandArgs
---@return string?
local function ranged(opts)
  if opts.range > 0 then
    local lines = vim.api.nvim_buf_get_lines(0, opts.line1 - 1, opts.line2, false)
    return table.concat(lines, "\n")
  end
end

--- :OIChat
---@param opts oi.CommandArgs
function M.chat(opts)
  local lines = opts.range > 0
      and mention.lines(vim.api.nvim_get_current_buf(), opts.line1, opts.line2)
    or ""
  local words = opts.args ~= "" and opts.args .. lines or nil
  oi.chat(words, { new = opts.bang, mods = modifiers(opts), attachment = lines })
end

--- The conversation of the current buffer, or the one that was used last.
---@return oi.Conversation?
local function current()
  local here = View.of() or edit.at(vim.api.nvim_get_current_buf())
  local conversation = here and here.conversation or Conversation.latest()
  if not conversation then
    notify("there is no conversation yet: :OIChat begins one.")
  end
  return conversation
end

--- A subcommand for the current conversation.
---@param act fun(conversation: oi.Conversation)
---@return fun()
local function on_current(act)
  return function()
    local conversation = current()
    if conversation then
      act(conversation)
    end
  end
end

--- Move the cursor to the person's next message, in a file to the next cell, or to the one before.
---@param forward boolean
local function jump(forward)
  local line, view = vim.fn.line("."), View.of()
  local row = view and view.drawing:message_from(line - 1, forward)
  local target = row and row + 1 or not view and cell.from(0, line, forward)
  if target then
    vim.cmd("normal! m'")
    vim.api.nvim_win_set_cursor(0, { target, 0 })
  end
end

--- Run cells one after the other, until one fails.
---@param buf integer
---@param cells oi.Cell[]
---@param at? integer
local function run_all(buf, cells, at)
  at = at or 1
  if cells[at] and vim.api.nvim_buf_is_loaded(buf) then
    Run.begin(buf, cells[at], function(failed)
      if not failed then
        run_all(buf, cells, at + 1)
      end
    end)
  end
end

---@param id string
---@param opts oi.CommandArgs
local function open(id, opts)
  window.open(View.get(Conversation.get(id)).buf, modifiers(opts), true)
end

--- Choose one of the saved conversations. Those in which something goes on come first.
---@param entries oi.HistoryEntry[]
---@param states table<string, oi.ConversationState> What the conversations that are active do.
---@param opts oi.CommandArgs
local function choose(entries, states, opts)
  local active, idle = {}, {}
  for _, entry in ipairs(entries) do
    local is_idle = (states[entry.conversation] or "idle") == "idle"
    table.insert(is_idle and idle or active, entry)
  end
  vim.ui.select(vim.list_extend(vim.deepcopy(active), idle), {
    prompt = "Conversation",
    kind = "oi.conversation",
    ---@param entry oi.HistoryEntry
    format_item = function(entry)
      local when = entry.updated:sub(1, 16):gsub("T", " ")
      local line = ("%s  %s (%d messages)"):format(when, entry.title, entry.messages)
      local state = states[entry.conversation] or "idle"
      return state == "idle" and line or ("%s, %s"):format(line, state)
    end,
  }, function(entry)
    if entry then
      open(entry.conversation, opts)
    end
  end)
end

---@param opts oi.CommandArgs
local function select(opts)
  local states = {} ---@type table<string, oi.ConversationState>
  daemon.request("oi/status", {}, function(_, status)
    for _, conversation in ipairs(status and status.conversations or {}) do
      states[conversation.conversation] = conversation.state
    end
  end)
  daemon.request("oi/history/list", {}, function(err, result)
    if not result then
      notify(err and err.message or "")
    elseif #result.conversations == 0 then
      notify("no conversation has been saved yet.")
    else
      choose(result.conversations, states, opts)
    end
  end)
end

--- The block of code at the cursor or, at the end of an answer, the last one.
---@return oi.Fence?
local function block_here()
  local line = vim.fn.line(".")
  local found = fence.at(line)
  if found or not View.of() or line < vim.fn.line("$") then
    return found
  end
  local blocks = vim.tbl_filter(function(block)
    return block.language ~= "output"
  end, fence.all(vim.api.nvim_buf_get_lines(0, 0, -1, false)))
  return blocks[#blocks]
end

---@type table<string, fun(argument: string, opts: oi.CommandArgs)>
local subcommands = {
  run = function(_, opts)
    local waiting = opts.range == 0 and consent.waiting_at(opts.line1)
    if waiting then
      return consent.give(waiting, "run")
    end
    local code, language, block = ranged(opts), vim.bo.filetype, cell.at(0, opts.line1)
    if block and (not code or opts.line1 >= block.first and opts.line2 <= block.last) then
      code, language = code or block.code, block.language
    end
    if not code or language == "" or language == "output" then
      return notify("give a range, or go to a block of code with a language.")
    end
    if View.of() or vim.bo.buftype ~= "" or opts.mods ~= "" then
      oi.execute(language, code, { mods = modifiers(opts), focus = false })
      return
    end
    local first = opts.range > 0 and opts.line1 or block and block.first or 1
    local last = opts.range > 0 and opts.line2 or block and block.last or 1
    Run.begin(vim.api.nvim_get_current_buf(), {
      language = language,
      code = code,
      first = first,
      last = last,
    })
  end,
  all = function()
    run_all(vim.api.nvim_get_current_buf(), cell.all(0))
  end,
  clear = function(_, opts)
    local whole = opts.range == 0
    local buf, last = vim.api.nvim_get_current_buf(), vim.api.nvim_buf_line_count(0)
    Run.clear(buf, whole and 1 or opts.line1, whole and last or opts.line2)
  end,
  output = function()
    local item = Run.item_at(vim.api.nvim_get_current_buf(), vim.fn.line("."))
    if not item or not item.output then
      return notify("no code that ran at this line has written anything.")
    end
    local block = layout.block(item, item.pictures)
    window.show_lines("output", (layout.virtual(block, #block.lines)))
  end,
  approve = on_current(function(conversation)
    if conversation.input then
      require("oi.input").offer(conversation, true)
    else
      consent.give(conversation, "run")
    end
  end),
  always = on_current(function(conversation)
    consent.give(conversation, "always")
  end),
  ask = on_current(function(conversation)
    conversation:send_settings({ auto_run = false })
  end),
  skip = on_current(function(conversation)
    actions.approve(conversation, "skip")
  end),
  stop = on_current(actions.interrupt),
  edit = on_current(edit.begin),
  new = function(words, opts)
    oi.chat(words ~= "" and words or nil, { new = true, mods = modifiers(opts) })
  end,
  open = function(id, opts)
    if id ~= "" then
      open(id, opts)
    else
      select(opts)
    end
  end,
  variables = on_current(function(conversation)
    require("oi.variables").show(conversation)
  end),
  apply = function()
    local block = block_here()
    if block then
      require("oi.apply").show(block.code)
    else
      notify("go to the block of code that is to be taken into your file.")
    end
  end,
  toggle = function(_, opts)
    local conversation = current()
    local win = conversation and vim.fn.bufwinid(View.get(conversation).buf) or -1
    if win ~= -1 then
      pcall(vim.api.nvim_win_close, win, false)
    elseif conversation then
      open(conversation.id, opts)
    end
  end,
  undo = on_current(actions.undo),
  files = function(path)
    local conversation = current()
    if conversation then
      require("oi.changed_files").show(conversation, path)
    end
  end,
  undo_files = function(path)
    local conversation = current()
    if conversation then
      require("oi.changed_files").undo(conversation, path, false)
    end
  end,
  redo_files = on_current(function(conversation)
    require("oi.changed_files").undo(conversation, nil, true)
  end),
  reset = on_current(actions.reset),
  model = function(name)
    local conversation = current()
    if conversation and name ~= "" then
      conversation:send_settings({ model = name })
    elseif conversation then
      require("oi.model").choose(conversation)
    end
  end,
  restart = function()
    daemon.stop("The daemon was restarted.")
    Conversation.reload_all()
  end,
  log = function(_, opts)
    local path = daemon.log_path()
    vim.cmd({ cmd = "split", args = { path }, mods = opts.smods, magic = { file = false } })
    vim.cmd("normal! G")
  end,
  next = function()
    jump(true)
  end,
  previous = function()
    jump(false)
  end,
  yank = function()
    local block = block_here()
    if block then
      vim.fn.setreg(vim.v.register, block.code, "l")
    else
      notify("there is no block of code at the cursor.")
    end
  end,
}

--- Let the person choose a subcommand.
local function choose_action()
  local names = vim.tbl_keys(subcommands)
  table.sort(names)
  vim.ui.select(names, { prompt = "Open Interpreter", kind = "oi.action" }, function(name)
    if name then
      vim.cmd.OI(name)
    end
  end)
end

--- :OI
---@param opts oi.CommandArgs
function M.run(opts)
  local name, argument = opts.args:match("^(%S*)%s*(.-)%s*$")
  if name == "" then
    return choose_action()
  elseif subcommands[name] then
    subcommands[name](argument, opts)
  else
    notify(("there is no :OI %s: see :help :OI"):format(name))
  end
end

--- Run the text between the marks `[` and `]`, in its language.
---@param kind "line"|"char"|"block"
function M.operate(kind)
  local buf, first, last = vim.api.nvim_get_current_buf(), vim.fn.line("'["), vim.fn.line("']")
  local types = { line = "V", char = "v", block = "\22" }
  local lines = vim.fn.getregion(vim.fn.getpos("'["), vim.fn.getpos("']"), { type = types[kind] })
  local block = cell.at(buf, first)
  Run.begin(buf, {
    language = block and block.language or vim.bo.filetype,
    code = table.concat(lines, "\n"),
    first = first,
    last = last,
  })
end

--- Completes `:OI`: subcommands, saved conversations by id or words of their title, and models.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local name = line:match("OI%s+(%S+)%s+%S*$")
  local found = {} ---@type string[]
  if name == "open" then
    local result = daemon.ask("oi/history/list", { query = lead ~= "" and lead or nil })
    for _, entry in ipairs(result and result.conversations or {}) do
      table.insert(found, entry.conversation)
    end
    return found
  elseif name == "model" then
    local conversation = Conversation.latest()
    found = require("oi.model").names(conversation and conversation.id)
  elseif line:match("OI%s+%S*$") then
    found = vim.tbl_keys(subcommands)
    table.sort(found)
  end
  return vim.tbl_filter(function(known)
    return vim.startswith(known, lead)
  end, found)
end

return M
