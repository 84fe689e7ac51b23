-- What a message mentions, and takes along: `@file`, `#buffer`, `#selection`, `#diagnostics`.
local notify = require("oi.notify")
local uv = vim.uv --[[@as oi.Uv]]
local M = {}

local NAMES = { "#buffer", "#diagnostics", "#selection" }
local namespace = vim.api.nvim_create_namespace("oi.mention")
---@type { buf: integer, mark: integer }?
local taken
local LARGEST = 200000 -- bytes of a file that is taken along

--- Text under a title, in a fence that is longer than those in it.
---@param title string
---@param filetype string
---@param text string
---@return string
function M.attachment(title, filetype, text)
  local ticks = "```"
  while text:find(ticks, 1, true) do
    ticks = ticks .. "`"
  end
  return ("\n\n%s:\n%s%s\n%s\n%s"):format(title, ticks, filetype, text, ticks)
end

---@param buf integer
---@return string
local function name_of(buf)
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ":~:.")
  return name == "" and "A buffer" or name
end

--- Lines of a buffer.
---@param buf integer
---@param first integer From 1.
---@param last integer
---@return string
function M.lines(buf, first, last)
  taken = {
    buf = buf,
    mark = vim.api.nvim_buf_set_extmark(buf, namespace, first - 1, 0, {
      id = 1,
      end_row = last,
      strict = false,
      right_gravity = false,
    }),
  }
  local text = table.concat(vim.api.nvim_buf_get_lines(buf, first - 1, last, false), "\n")
  local lines = first == last and ("line %d"):format(first) or ("lines %d-%d"):format(first, last)
  return M.attachment(("%s, %s"):format(name_of(buf), lines), vim.bo[buf].filetype, text)
end

--- The file that the person has worked in last.
---@return integer? buf
local function source()
  local found, latest = nil, -1
  for _, info in ipairs(vim.fn.getbufinfo({ buflisted = 1, bufloaded = 1 })) do
    if vim.bo[info.bufnr].buftype == "" and info.lastused >= latest then
      found, latest = info.bufnr, info.lastused
    end
  end
  return found
end

--- The lines that have gone along with a message last, where they are now; else the whole file.
---@return integer? buf
---@return integer first From 1.
---@return integer last
function M.taken()
  local buf = taken and vim.api.nvim_buf_is_loaded(taken.buf) and taken.buf
  if not taken or not buf then
    buf = source()
    return buf, 1, buf and vim.api.nvim_buf_line_count(buf) or 0
  end
  local at = vim.api.nvim_buf_get_extmark_by_id(buf, namespace, taken.mark, { details = true })
  return buf, at[1] + 1, at[3] and at[3].end_row or at[1] + 1
end

---@type table<string, fun(buf: integer): string?>
local parts = {
  ["#buffer"] = function(buf)
    taken = nil
    local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n")
    return M.attachment(name_of(buf), vim.bo[buf].filetype, text)
  end,
  ["#selection"] = function(buf)
    local first = vim.api.nvim_buf_get_mark(buf, "<")[1]
    local last = vim.api.nvim_buf_get_mark(buf, ">")[1]
    return first > 0 and M.lines(buf, first, last) or nil
  end,
  ["#diagnostics"] = function(buf)
    local lines = vim.tbl_map(function(diagnostic)
      local kind = tostring(vim.diagnostic.severity[diagnostic.severity]):lower()
      return ("line %d: %s: %s"):format(diagnostic.lnum + 1, kind, diagnostic.message)
    end, vim.diagnostic.get(buf))
    local title = name_of(buf) .. ", diagnostics"
    return lines[1] and M.attachment(title, "", table.concat(lines, "\n")) or nil
  end,
}

--- A file's text.
---@param path string
---@return string? text
---@return string? why There is none, though there is a file.
local function read(path)
  local stat = uv.fs_stat(path)
  local file = stat and stat.type == "file" and io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read(LARGEST + 1) or ""
  file:close()
  if #text > LARGEST then
    return nil, ("has more than %d bytes"):format(LARGEST)
  end
  return not text:find("%z") and (text:gsub("\n$", "")) or nil, "is no text"
end

---@param name string As it was written, such as `@src/main.py`.
---@param folder string
---@return string?
local function file_part(name, folder)
  local shown = name:sub(2):gsub("[.,;:!?)]+$", "")
  local path = vim.fs.normalize(shown)
  path = vim.startswith(path, "/") and path or vim.fs.joinpath(folder, path)
  local text, why = read(path)
  if text then
    return M.attachment(shown, vim.filetype.match({ filename = path }) or "", text)
  elseif why then
    notify(("%s %s: the message names it alone."):format(shown, why))
  end
end

--- A message with what it mentions.
---@param words string
---@param folder string Where its files are.
---@return string
function M.expand(words, folder)
  local text, done = words, {}
  local buf = source()
  for name in (" " .. words):gmatch("%s([@#][^%s]+)") do
    local part = parts[name] and buf and parts[name](buf)
    if vim.startswith(name, "@") then
      part = file_part(name, folder)
    end
    if part and not done[name] then
      text, done[name] = text .. part, true
    end
  end
  return text
end

--- An 'omnifunc' for what can be mentioned.
---@param is_start integer
---@param base string
---@return integer|string[]
function M.complete(is_start, base)
  if is_start == 1 then
    local line = vim.api.nvim_get_current_line():sub(1, vim.api.nvim_win_get_cursor(0)[2])
    local before = line:match("^(.-)[@#]%S*$")
    while before and before:find("%S$") do -- the word has begun earlier, as in `a@b`
      before = before:match("^(.-)[@#]%S*$")
    end
    return before and #before or -3
  elseif vim.startswith(base, "#") then
    return vim.tbl_filter(function(name)
      return vim.startswith(name, base)
    end, NAMES)
  end
  return vim.tbl_map(function(path)
    return "@" .. path
  end, vim.fn.getcompletion(base:sub(2), "file"))
end

return M
