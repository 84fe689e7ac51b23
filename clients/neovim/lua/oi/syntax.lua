-- Highlighting of the conversation's Markdown: by treesitter where there is a parser, else by Vim.
local M = {}

---@param buf integer
---@param plainly? boolean Without treesitter.
function M.start(buf, plainly)
  local parsed = not plainly and pcall(vim.treesitter.start, buf, "markdown")
  vim.b[buf].oi_parsed = parsed or nil
  vim.b[buf].oi_languages = vim.empty_dict()
  vim.b[buf].oi_lines = 0
  vim.bo[buf].syntax = "oi"
end

local FORGET_EVERY = 50 -- lines
local MOST_PARSED = vim.fn.has("nvim-0.11") == 1 and math.huge or 100 -- lines

--- Keep highlighting cheap. What treesitter parsed is forgotten once in a while: to keep up to
--- date what has long been scrolled past costs ever more as the buffer grows, and what is seen is
--- parsed again when it is drawn. In Neovim 0.10 that is not enough.
---@param buf integer
---@param lines integer How many there are now.
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
    vim.treesitter.get_parser(buf, "markdown"):invalidate(true)
  end
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
