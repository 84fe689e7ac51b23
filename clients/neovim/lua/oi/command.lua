-- The commands :OIChat and :OI.
local oi = require("oi")
local M = {}

--- The modifiers that a person gave, if any.
---@param opts vim.api.keyset.create_user_command.command_args
---@return vim.api.keyset.cmd.mods?
local function modifiers(opts)
  return opts.mods ~= "" and opts.smods or nil
end

---@param opts vim.api.keyset.create_user_command.command_args
---@return string? text Of the range, if one was given.
local function ranged(opts)
  if opts.range > 0 then
    local lines = vim.api.nvim_buf_get_lines(0, opts.line1 - 1, opts.line2, false)
    return table.concat(lines, "\n")
  end
end

--- Words with the lines that go along.
---@param words string
---@param opts vim.api.keyset.create_user_command.command_args
---@return string
local function with_range(words, opts)
  local text = ranged(opts)
  if not text then
    return words
  end
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":~:.")
  local lines = opts.line1 == opts.line2 and ("line %d"):format(opts.line1)
    or ("lines %d-%d"):format(opts.line1, opts.line2)
  local where = ("%s, %s:"):format(name == "" and "A buffer" or name, lines)
  return ("%s\n\n%s\n```%s\n%s\n```"):format(words, where, vim.bo.filetype, text)
end

--- :OIChat
---@param opts vim.api.keyset.create_user_command.command_args
function M.chat(opts)
  local options = { new = opts.bang, mods = modifiers(opts) }
  if opts.args ~= "" then
    oi.chat(with_range(opts.args, opts), options)
  elseif opts.range == 0 then
    oi.chat(nil, options)
  else
    local suffix = with_range("", opts)
    vim.ui.input({ prompt = "Ask about it: " }, function(words)
      if words then
        oi.chat(words .. suffix, options)
      end
    end)
  end
end

--- The fenced block around the cursor.
---@return string? language
---@return string? code
local function fenced()
  local cursor = vim.api.nvim_win_get_cursor(0)[1]
  local first, fence, language
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local ticks, info = line:match("^%s*(```+)%s*([^%s`{]*)")
    if ticks and not fence then
      first, fence, language = number, ticks, info
    elseif ticks and info == "" and #ticks >= #fence then
      if cursor >= first and cursor <= number then
        local lines = vim.api.nvim_buf_get_lines(0, first, number - 1, false)
        return language, table.concat(lines, "\n")
      end
      fence = nil
    end
  end
end

---@param text string
local function warn(text)
  vim.notify("oi: " .. text, vim.log.levels.WARN)
end

--- The conversation at hand.
---@return oi.Conversation?
local function current()
  local view = require("oi.view").of()
  local conversation = view and view.conversation or require("oi.conversation").latest()
  if not conversation then
    warn("there is no conversation yet: :OIChat begins one.")
  end
  return conversation
end

---@param act fun(conversation: oi.Conversation)
local function with_current(act)
  local conversation = current()
  if conversation then
    act(conversation)
  end
end

---@param act fun(view: oi.View)
local function with_view(act)
  local view = require("oi.view").of()
  if view then
    act(view)
  else
    warn("this works in a conversation's window: :OIChat opens one.")
  end
end

---@param decision oi.Decision
---@return fun()
local function decide(decision)
  return function()
    with_current(function(conversation)
      conversation:approve(decision)
    end)
  end
end

---@param id string
---@param opts vim.api.keyset.create_user_command.command_args
local function open(id, opts)
  local view = require("oi.view").get(require("oi.conversation").get(id))
  require("oi.window").open(view.buf, modifiers(opts), true)
end

---@param opts vim.api.keyset.create_user_command.command_args
local function select(opts)
  require("oi.daemon").request("oi/history/list", {}, function(err, result)
    if err then
      return warn(err.message)
    elseif #result.conversations == 0 then
      return warn("no conversation has been saved yet.")
    end
    vim.ui.select(result.conversations, {
      prompt = "Conversation",
      kind = "oi.conversation",
      format_item = function(entry) ---@param entry oi.HistoryEntry
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

--- The daemon's log file: where platformdirs puts it.
---@return string
local function log_path()
  if vim.fn.has("mac") == 1 then
    return vim.fs.normalize("~/Library/Logs/oi-daemon/oi-daemon.log")
  end
  local state = vim.env.XDG_STATE_HOME or vim.fs.normalize("~/.local/state")
  return vim.fs.joinpath(state, "oi-daemon", "log", "oi-daemon.log")
end

---@type table<string, fun(argument: string, opts: vim.api.keyset.create_user_command.command_args)>
local subcommands = {
  run = function(_, opts)
    local code, language = ranged(opts), vim.bo.filetype
    if not code then
      language, code = fenced()
    end
    if not code or language == "" or language == "output" then
      return warn(
        "give a range, or put the cursor into a fenced block of code that names its language."
      )
    end
    oi.execute(language, code, { mods = modifiers(opts), focus = false })
  end,
  approve = function()
    with_current(function(conversation)
      if conversation.input then
        require("oi.view").get(conversation):prompt(true)
      else
        conversation:approve("run")
      end
    end)
  end,
  skip = decide("skip"),
  always = decide("always"),
  stop = function()
    with_current(function(conversation)
      conversation:interrupt()
    end)
  end,
  edit = function()
    with_view(require("oi.edit").begin)
  end,
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
  undo = function()
    with_current(function(conversation)
      conversation:undo()
    end)
  end,
  reset = function()
    with_current(function(conversation)
      conversation:reset()
    end)
  end,
  model = function(name)
    with_current(function(conversation)
      if name ~= "" then
        return conversation:send_settings({ model = name })
      end
      vim.ui.input({ prompt = "Model: ", default = conversation.model }, function(chosen)
        if chosen and chosen ~= "" then
          conversation:send_settings({ model = chosen })
        end
      end)
    end)
  end,
  restart = function()
    require("oi.daemon").stop("The daemon was restarted.")
    require("oi.conversation").renew()
  end,
  log = function(_, opts)
    vim.cmd({ cmd = "split", args = { log_path() }, mods = opts.smods, magic = { file = false } })
    vim.cmd("normal! G")
  end,
  next = function()
    with_view(function(view)
      view:jump(true)
    end)
  end,
  previous = function()
    with_view(function(view)
      view:jump(false)
    end)
  end,
  yank = function()
    local _, code = fenced()
    if code then
      vim.fn.setreg(vim.v.register, code, "l")
    else
      warn("there is no block of code at the cursor.")
    end
  end,
}

--- :OI
---@param opts vim.api.keyset.create_user_command.command_args
function M.run(opts)
  local name, argument = opts.args:match("^(%S+)%s*(.-)%s*$")
  if subcommands[name] then
    subcommands[name](argument, opts)
  else
    warn(("there is no :OI %s: see :help :OI"):format(name))
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
