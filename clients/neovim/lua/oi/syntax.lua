-- Highlighting of the conversation's Markdown: by treesitter where there is a parser, else by Vim.
local M = {}

---@param buf integer
function M.start(buf)
  vim.b[buf].oi_parsed = pcall(vim.treesitter.start, buf, "markdown") or nil
  vim.bo[buf].syntax = "oi"
  vim.b[buf].oi_languages = vim.empty_dict()
end

--- Whether treesitter highlights this language within the Markdown.
---@param buf integer
---@param filetype string
---@return boolean
local function parsed(buf, filetype)
  local language = vim.treesitter.language.get_lang(filetype) or filetype
  return vim.b[buf].oi_parsed == true and pcall(vim.treesitter.language.inspect, language)
end

--- Highlight fences of this language too.
---@param buf integer
---@param filetype string
function M.add(buf, filetype)
  local known = vim.b[buf].oi_languages
  if known[filetype] or not filetype:match("^%w+$") then
    return
  end
  known[filetype] = true
  vim.b[buf].oi_languages = known
  if parsed(buf, filetype) then
    return
  end
  vim.api.nvim_buf_call(buf, function()
    vim.b.current_syntax = nil
    local found = pcall(vim.cmd.syntax, ("include @oi_%s syntax/%s.vim"):format(filetype, filetype))
    vim.b.current_syntax = "oi"
    if found then
      vim.cmd(([[
        syntax region oiCode_%s start=/^\z(`\{3,}\)%s$/ end=/^\z1$/ keepend contains=@oi_%s
        syntax sync match oiBegin_%s grouphere oiCode_%s /^`\{3,}%s$/
      ]]):gsub("%%s", filetype))
    end
  end)
end

return M
