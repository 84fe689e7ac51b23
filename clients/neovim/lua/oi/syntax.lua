-- Highlighting of the conversation's Markdown: by treesitter if it has a parser, otherwise by Vim.
local M = {}

--- Highlight a buffer.
---@param buf integer
---@param without_treesitter? boolean
function M.start(buf, without_treesitter)
  local has_parser = not without_treesitter and pcall(vim.treesitter.start, buf, "markdown")
  vim.b[buf].oi_parsed = has_parser or nil
  vim.b[buf].oi_languages = vim.empty_dict()
  vim.b[buf].oi_lines = 0
  vim.bo[buf].syntax = "oi"
end

local FORGET_EVERY = 50 -- lines
local MOST_PARSED = vim.fn.has("nvim-0.11") == 1 and math.huge or 100 -- lines

--- Keep highlighting cheap: discard treesitter's results now and then. To update them for lines far
--- above costs more and more as the buffer grows, and visible lines are parsed again when they are
--- drawn. In Neovim 0.10 this is not enough: there, long buffers are highlighted by Vim.
---@param buf integer
---@param lines integer The number of lines in the buffer.
function M.grown(buf, lines)
  if not vim.b[buf].oi_parsed then
    return
  elseif lines > MOST_PARSED then
    local languages = vim.b[buf].oi_languages
    vim.treesitter.stop(buf)
    M.start(buf, true)
    for filetype in pairs(languages) do
      M.add(buf, filetype)
    end
  elseif lines - vim.b[buf].oi_lines >= FORGET_EVERY then
    vim.b[buf].oi_lines = lines
    local parser = vim.treesitter.get_parser(buf, "markdown")
    if parser then
      parser:invalidate(true)
    end
  end
end

--- Whether treesitter highlights this language inside of Markdown.
---@param buf integer
---@param filetype string
---@return boolean
local function is_parsed(buf, filetype)
  local language = vim.treesitter.language.get_lang(filetype) or filetype
  return vim.b[buf].oi_parsed == true and pcall(vim.treesitter.language.inspect, language)
end

--- Highlight fenced blocks of this language too.
---@param buf integer
---@param filetype string
function M.add(buf, filetype)
  local known = vim.b[buf].oi_languages
  if known[filetype] or not filetype:match("^%w+$") then
    return
  end
  known[filetype] = true
  vim.b[buf].oi_languages = known
  if is_parsed(buf, filetype) then
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
