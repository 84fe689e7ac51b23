-- Names of languages: the daemon's, and Neovim's filetypes.
local LANGUAGES = require("oi.language_table")
local M = {}

---@param language oi.Language
---@param name string
---@return boolean
local function is_called(language, name)
  return language.name == name or vim.list_contains(language.aliases, name)
end

--- The filetype in which code of a language is shown.
---@param name string
---@return string
function M.filetype(name)
  for _, language in ipairs(LANGUAGES) do
    if vim.list_contains(language.filetypes, name) then
      return name
    elseif is_called(language, name) then
      return language.filetypes[1] or name
    end
  end
  return name
end

--- The suffix of a file with code of a language, without its dot.
---@param name string
---@return string
function M.suffix(name)
  for _, language in ipairs(LANGUAGES) do
    if is_called(language, name) then
      return language.suffix
    end
  end
  return "txt"
end

--- The daemon's name for the language of a filetype.
---@param filetype string
---@return string
function M.of_filetype(filetype)
  for _, language in ipairs(LANGUAGES) do
    if is_called(language, filetype) then
      return filetype
    elseif vim.list_contains(language.filetypes, filetype) then
      return language.name
    end
  end
  return filetype
end

return M
