-- A buffer with the variables of a conversation's interpreters, as they are after each turn.
local daemon = require("oi.daemon")
local notify = require("oi.notify")
local window = require("oi.window")
local M = {}

local HINT = { { "variables", "OILabel" }, { "  :q leaves them", "OIHint" } }

---@param entry oi.VariableEntry
---@return string[] columns Name, type, size, and a short text.
local function columns(entry)
  local size = entry.shape and table.concat(entry.shape, "×") or entry.size
  return { entry.name, entry.type, tostring(size or ""), entry.preview }
end

--- Columns below each other.
---@param rows string[][]
---@return string[]
local function aligned(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, vim.api.nvim_strwidth(text))
    end
  end
  return vim.tbl_map(function(row)
    local parts = {}
    for i, text in ipairs(row) do
      parts[i] = text .. (" "):rep(widths[i] - vim.api.nvim_strwidth(text))
    end
    return (table.concat(parts, "  "):gsub("%s+$", ""))
  end, rows)
end

---@param result oi.Variables
---@return string[]
local function lines_of(result)
  local lines = aligned(vim.tbl_map(columns, result.variables))
  if result.more > 0 then
    table.insert(lines, ("… %d more"):format(result.more))
  end
  for _, language in ipairs(result.unanswered) do
    table.insert(lines, ("%s does not answer now."):format(language))
  end
  return lines[1] and lines or { "There are no variables yet." }
end

---@param conversation oi.Conversation
---@param buf integer
---@param shown? fun()
local function fill(conversation, buf, shown)
  daemon.request("oi/variables", { conversation = conversation.id }, function(err, result)
    if not result then
      return notify(err and err.message or "")
    elseif vim.api.nvim_buf_is_loaded(buf) then
      vim.bo[buf].modifiable = true
      vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines_of(result))
      vim.bo[buf].modifiable = false
      if shown then
        shown()
      end
    end
  end)
end

--- Show the variables of a conversation, until the window is closed.
---@param conversation oi.Conversation
function M.show(conversation)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = "wipe"
  fill(conversation, buf, function()
    window.open_below(buf, HINT)
  end)
  local watch = vim.api.nvim_create_autocmd("User", {
    pattern = "OITurnEnd",
    callback = function(event)
      if not vim.api.nvim_buf_is_valid(buf) then
        return true
      elseif event.data.conversation == conversation.id then
        fill(conversation, buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buf,
    callback = function()
      pcall(vim.api.nvim_del_autocmd, watch)
    end,
  })
end

return M
