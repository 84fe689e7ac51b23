-- What the live interpreter knows: hover and completion, as a language server inside of Neovim, so
-- that |K|, 'omnifunc' and plugins for completion find it.
local cell = require("oi.cell")
local daemon = require("oi.daemon")
local languages = require("oi.languages")
local M = {}

---@type table<string, integer> Kinds of the protocol of language servers.
local KINDS = {
  method = 2,
  ["function"] = 3,
  variable = 6,
  class = 7,
  module = 9,
  property = 10,
  parameter = 6,
  keyword = 14,
  file = 17,
}

--- The place at the cursor, in the code of its cell.
---@return oi.PlaceParams? params Nil: there is no code.
local function place()
  local buf, cursor = vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)
  local here = cell.at(buf, cursor[1])
  local first = here and math.min(here.first, cursor[1]) or cursor[1]
  local lines = vim.api.nvim_buf_get_lines(buf, first - 1, cursor[1], false)
  local before = vim.list_slice(lines, 1, #lines - 1)
  table.insert(before, lines[#lines]:sub(1, cursor[2]))
  local language = languages.of_filetype(here and here.language or vim.bo[buf].filetype)
  return language ~= ""
      and {
        conversation = vim.b[buf].oi_conversation,
        language = language,
        code = table.concat(lines, "\n"),
        position = vim.fn.strchars(table.concat(before, "\n")),
      }
    or nil
end

---@param result? oi.Documentation
---@return lsp.Hover?
local function hover(result)
  local text = result and (result.data["text/markdown"] or result.data["text/plain"])
  return text and { contents = { kind = "markdown", value = text } } or nil
end

---@param result? oi.Completions
---@return lsp.CompletionItem[]
local function completions(result)
  local items = {} ---@type lsp.CompletionItem[]
  local kinds = result and result.kinds or {}
  for i, label in ipairs(result and result.matches or {}) do
    local sort = ("%04d"):format(i) -- the best ones come first
    table.insert(items, { label = label, kind = KINDS[kinds[i]], sortText = sort })
  end
  return items
end

---@type table<string, fun(answer: fun(err: nil, result: any))>
local methods = {
  initialize = function(answer)
    local completion = { triggerCharacters = { "." } }
    answer(nil, { capabilities = { hoverProvider = true, completionProvider = completion } })
  end,
  ["textDocument/hover"] = function(answer)
    local params = place()
    if not params then
      return answer(nil, nil)
    end
    daemon.request("oi/inspect", params, function(_, result)
      answer(nil, hover(result))
    end)
  end,
  ["textDocument/completion"] = function(answer)
    local params = place()
    if not params then
      return answer(nil, nil)
    end
    daemon.request("oi/complete", params, function(_, result)
      answer(nil, { isIncomplete = false, items = completions(result) })
    end)
  end,
  shutdown = function(answer)
    answer(nil, nil)
  end,
}

---@return vim.lsp.rpc.PublicClient
local function server()
  local count, is_closing = 0, false
  return {
    request = function(method, _, callback)
      count = count + 1
      local handle = methods[method]
      if handle then
        handle(callback)
      end
      return handle ~= nil, count
    end,
    notify = function(method)
      is_closing = is_closing or method == "exit"
      return true
    end,
    is_closing = function()
      return is_closing
    end,
    terminate = function()
      is_closing = true
    end,
  }
end

--- Answer for a buffer whose code runs in a conversation.
---@param buf integer
---@param conversation oi.Conversation
function M.attach(buf, conversation)
  vim.b[buf].oi_conversation = conversation.id
  vim.lsp.start({ name = "oi", cmd = server }, { bufnr = buf })
end

return M
