-- The commands :OIChat and :OI.
local Conversation = require("oi.conversation")
local View = require("oi.view")
local fence = require("oi.fence")
local oi = require("oi")
local tell = require("oi.tell")
local window = require("oi.window")
local M = {}

---@alias oi.CommandArgs vim.api.keyset.create_user_command.command_args

--- The modifiers that a person gave, if any.
---@param opts oi.CommandArgs
---@return vim.api.keyset.cmd.mods?
local function modifiers(opts)
  return opts.mods ~= "" and opts.smods or nil
end

---@param opts oi.CommandArgs
---@return string? text Of the range, if one was given.
local function ranged(opts)
  if opts.range > 0 then
    local lines = vim.api.nvim_buf_get_lines(0, opts.line1 - 1, opts.line2, false)
    return table.concat(lines, "\n")
  end
end

--- The lines that go along, if any: where they are from, and what they are.
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

--- The conversation at hand.
---@return oi.Conversation?
local function current()
  local view = View.of()
  local conversation = view and view.conversation or Conversation.latest()
  if not conversation then
    tell("there is no conversation yet: :OIChat begins one.")
  end
  return conversation
end

--- What does something with the conversation at hand.
---@param method string
---@param ... any
---@return fun()
local function on_current(method, ...)
  local arguments = { ... }
  return function()
    local conversation = current()
    if conversation then
      conversation[method](conversation, unpack(arguments))
    end
  end
end

--- What does something with the view that the cursor is in.
---@param act fun(view: oi.View)
---@return fun()
local function on_view(act)
  return function()
    local view = View.of()
    if view then
      act(view)
    else
      tell("this works in a conversation's window.")
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
  require("oi.daemon").request("oi/history/list", {}, function(err, result)
    if err then
      return tell(err.message)
    elseif #result.conversations == 0 then
      return tell("no conversation has been saved yet.")
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

---@type table<string, fun(argument: string, opts: oi.CommandArgs)>
local subcommands = {
  run = function(_, opts)
    local block = fence.at(opts.line1)
    local code, language = ranged(opts), vim.bo.filetype
    if block and (not code or opts.line1 > block.first and opts.line2 < block.last) then
      code, language = code or block.code, block.language
    end
    if not code or language == "" or language == "output" then
      return tell("give a range, or go to a block of code with a language.")
    end
    oi.execute(language, code, { mods = modifiers(opts), focus = false })
  end,
  approve = function()
    local conversation = current()
    if conversation and conversation.input then
      require("oi.prompt").offer(conversation, true)
    elseif conversation then
      conversation:approve("run")
    end
  end,
  skip = on_current("approve", "skip"),
  always = on_current("approve", "always"),
  stop = on_current("interrupt"),
  edit = on_view(function(view)
    require("oi.edit").begin(view)
  end),
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
  undo = on_current("undo"),
  reset = on_current("reset"),
  model = function(name)
    local conversation = current()
    if conversation and name ~= "" then
      conversation:send_settings({ model = name })
    elseif conversation then
      require("oi.model").choose(conversation)
    end
  end,
  restart = function()
    require("oi.daemon").stop("The daemon was restarted.")
    Conversation.renew()
  end,
  log = function(_, opts)
    local path = require("oi.daemon").log_path()
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
      tell("there is no block of code at the cursor.")
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
    tell(("there is no :OI %s: see :help :OI"):format(name))
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
