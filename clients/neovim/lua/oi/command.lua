-- The commands :OIChat and :OI.
local Conversation = require("oi.conversation")
local View = require("oi.view")
local daemon = require("oi.daemon")
local edit = require("oi.edit")
local fence = require("oi.fence")
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

--- The lines of the range as an attachment to a message: file, line numbers, and a fenced block.
---@param opts oi.CommandArgs
---@return string
local function attached(opts)
  local text = ranged(opts)
  if not text then
    return ""
  end
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":~:.")
  local lines = opts.line1 == opts.line2 and ("line %d"):format(opts.line1)
    or ("lines %d-%d"):format(opts.line1, opts.line2)
  local ticks = "```"
  while text:find(ticks, 1, true) do
    ticks = ticks .. "`"
  end
  name = name == "" and "A buffer" or name
  local parts = { "", "", ("%s, %s:"):format(name, lines), ticks .. vim.bo.filetype, text, ticks }
  return table.concat(parts, "\n")
end

--- :OIChat
---@param opts oi.CommandArgs
function M.chat(opts)
  local options = { new = opts.bang, mods = modifiers(opts) }
  if opts.args ~= "" then
    oi.chat(opts.args .. attached(opts), options)
  elseif opts.range == 0 then
    oi.chat(nil, options)
  else
    local lines = attached(opts)
    vim.ui.input({ prompt = "Ask about it: " }, function(words)
      if words then
        oi.chat(words .. lines, options)
      end
    end)
  end
end

--- The conversation of the current buffer, or the one that was used last.
---@return oi.Conversation?
local function current()
  local view = View.of()
  local conversation = view and view.conversation or Conversation.latest()
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

--- A subcommand for the conversation's buffer that the cursor is in.
---@param act fun(view: oi.View)
---@return fun()
local function on_view(act)
  return function()
    local view = View.of()
    if view then
      act(view)
    else
      notify("this works in a conversation's window.")
    end
  end
end

---@param id string
---@param opts oi.CommandArgs
local function open(id, opts)
  window.open(View.get(Conversation.get(id)).buf, modifiers(opts), true)
end

---@param opts oi.CommandArgs
local function select(opts)
  daemon.request("oi/history/list", {}, function(err, result)
    if not result then
      return notify(err and err.message or "")
    elseif #result.conversations == 0 then
      return notify("no conversation has been saved yet.")
    end
    vim.ui.select(result.conversations, {
      prompt = "Conversation",
      kind = "oi.conversation",
      ---@param entry oi.HistoryEntry
      format_item = function(entry)
        local when = entry.updated:sub(1, 16):gsub("T", " ")
        return ("%s  %s (%d messages)"):format(when, entry.title, entry.messages)
      end,
    }, function(entry)
      if entry then
        open(entry.conversation, opts)
      end
    end)
  end)
end

--- Run the block that waits, as it is edited in its buffer.
---@param conversation oi.Conversation
---@param decision "run"|"always"
local function run_waiting(conversation, decision)
  local view = View.showing(conversation)
  conversation:approve(decision, view and edit.finish(view))
end

--- The conversation in whose waiting block the command was given.
---@param opts oi.CommandArgs
---@return oi.Conversation?
local function waiting_at(opts)
  local view = View.of()
  return opts.range == 0 and view and view:is_waiting_at(opts.line1) and view.conversation or nil
end

---@type table<string, fun(argument: string, opts: oi.CommandArgs)>
local subcommands = {
  run = function(_, opts)
    local waiting = waiting_at(opts)
    if waiting then
      return run_waiting(waiting, "run")
    end
    local block = fence.at(opts.line1)
    local code, language = ranged(opts), vim.bo.filetype
    if block and (not code or opts.line1 > block.first and opts.line2 < block.last) then
      code, language = code or block.code, block.language
    end
    if not code or language == "" or language == "output" then
      return notify("give a range, or go to a block of code with a language.")
    end
    oi.execute(language, code, { mods = modifiers(opts), focus = false })
  end,
  approve = on_current(function(conversation)
    if conversation.input then
      require("oi.prompt").offer(conversation, true)
    else
      run_waiting(conversation, "run")
    end
  end),
  always = on_current(function(conversation)
    run_waiting(conversation, "always")
  end),
  ask = on_current(function(conversation)
    conversation:send_settings({ auto_run = false })
  end),
  skip = on_current(function(conversation)
    conversation:approve("skip")
  end),
  stop = on_current(Conversation.interrupt),
  edit = on_view(edit.begin),
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
  undo = on_current(Conversation.undo),
  reset = on_current(Conversation.reset),
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
  next = on_view(function(view)
    view:jump(true)
  end),
  previous = on_view(function(view)
    view:jump(false)
  end),
  yank = function()
    local block = fence.at(vim.api.nvim_win_get_cursor(0)[1])
    if block then
      vim.fn.setreg(vim.v.register, block.code, "l")
    else
      notify("there is no block of code at the cursor.")
    end
  end,
}

--- :OI
---@param opts oi.CommandArgs
function M.run(opts)
  local name, argument = opts.args:match("^(%S+)%s*(.-)%s*$")
  if subcommands[name] then
    subcommands[name](argument, opts)
  else
    notify(("there is no :OI %s: see :help :OI"):format(name))
  end
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  if not line:match("OI%s+%S*$") then
    return {}
  end
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, vim.tbl_keys(subcommands))
  table.sort(names)
  return names
end

return M
