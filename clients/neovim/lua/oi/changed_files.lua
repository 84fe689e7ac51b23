-- What code has done to files: shown in Vim's own diff mode, and undone.
local daemon = require("oi.daemon")
local notify = require("oi.notify")
local M = {}

--- A buffer with the text of a file before or after.
---@param name string Of the side.
---@param text string?
---@param path string
local function fill(name, text, path)
  vim.cmd.enew()
  local buf = vim.api.nvim_get_current_buf()
  local lines = vim.split(text or "", "\n", { plain = true })
  if lines[#lines] == "" then
    table.remove(lines)
  end
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].buftype = "nofile"
  vim.bo[buf].bufhidden = "wipe"
  vim.bo[buf].modifiable = false
  pcall(vim.api.nvim_buf_set_name, buf, ("oi-files://%s/%d/%s"):format(name, buf, path))
  local filetype = vim.filetype.match({ filename = path, contents = lines })
  if filetype then
    vim.bo[buf].syntax = filetype
  end
  vim.cmd.diffthis()
end

--- Show a file before and after, side by side in a tab of its own.
---@param file oi.FileDiff
local function show(file)
  if not file.text then
    local words = "%s was %s; it is no text that can be shown."
    return notify(words:format(file.file.path, file.file.change))
  end
  vim.cmd.tabnew()
  fill("before", file.before, file.file.path)
  vim.cmd("rightbelow vsplit")
  fill("after", file.after, file.file.path)
end

--- Let the person choose a file that the latest turn, or the latest block at a path, has changed.
---@param conversation oi.Conversation
---@param path string? Empty: the latest turn's.
function M.show(conversation, path)
  local params = { conversation = conversation.id, path = path ~= "" and path or nil }
  daemon.request("oi/files/diff", params, function(error, result)
    if not result then
      return notify(error and error.message or "")
    end
    if #result.files == 0 then
      return notify("code has changed no files, or all of it is undone.")
    end
    vim.ui.select(result.files, {
      prompt = "Changed files",
      kind = "oi.file",
      format_item = function(file)
        return ("%s (%s)"):format(file.file.path, file.file.change)
      end,
    }, function(file)
      if file then
        show(file)
      end
    end)
  end)
end

--- Undo what the latest turn, or the latest block at a path, has done to files.
---@param conversation oi.Conversation
---@param path string? Empty: the latest turn.
---@param redo boolean Undo the latest undo.
function M.undo(conversation, path, redo)
  local params = { conversation = conversation.id, path = path ~= "" and path or nil, redo = redo }
  daemon.request("oi/files/undo", params, function(error, result)
    if not result then
      return notify(error and error.message or "")
    end
    local lines = {}
    for _, file in ipairs(result.files) do
      table.insert(lines, ("%s (%s)"):format(file.path, file.change))
    end
    for _, refused in ipairs(result.refused) do
      table.insert(lines, ("%s stays as it is: %s"):format(refused.path, refused.why))
    end
    notify(#lines == 0 and "there is nothing to undo." or table.concat(lines, "\n"))
    vim.cmd.checktime()
  end)
end

return M
