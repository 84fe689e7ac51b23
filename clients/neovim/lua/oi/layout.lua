-- Lays an item out as lines of Markdown. Pure: drawing is the view's.
local ansi = require("oi.ansi")
local M = {}

---@class oi.Block An item as lines; rows count from 0 within it.
---@field item? oi.Item Set by the view.
---@field lines string[]
---@field rules table<integer, string> Rows of fences, and what to write on them.
---@field group? string Highlights its rows.
---@field folded? boolean Whether a long output has been; set by the view.
---@field code? integer[] First row, and the one after the last.
---@field output? integer[] The same.
---@field spans table<integer, oi.Span[]>
---@field pictures table<integer, string> Paths by row.

M.GAP = " " -- the label of a fence between code and its output

-- Languages of the daemon whose files are called otherwise in Neovim.
M.filetypes = { shell = "sh", powershell = "ps1" }

---@param language string
---@return string
function M.filetype(language)
  return M.filetypes[language] or language
end

---@param block oi.Block
---@param ticks integer The longest run of backticks that a line begins with.
---@param lines string[]
---@param info string
---@param label string
---@return integer[] rows
local function fenced(block, ticks, lines, info, label)
  local fence = ("`"):rep(math.max(3, ticks + 1))
  block.rules[#block.lines] = label
  table.insert(block.lines, fence .. info)
  local first = #block.lines
  vim.list_extend(block.lines, lines)
  block.rules[#block.lines] = ""
  table.insert(block.lines, fence)
  return { first, #block.lines - 1 }
end

--- The output's lines without escape codes. Only lines that are new are parsed.
---@param item oi.Item
local function plain(item)
  local seen = item.plain or { raw = {}, lines = {}, spans = {}, styles = {}, ticks = 0 }
  item.plain = seen
  local rows = item.output:all()
  for i, raw in ipairs(rows) do
    if seen.raw[i] ~= raw then
      seen.raw[i] = raw
      seen.lines[i], seen.spans[i], seen.styles[i] = ansi.parse(raw, seen.styles[i - 1])
      seen.ticks = math.max(seen.ticks, #seen.lines[i]:match("^%s*(`*)"))
    end
  end
  for i = #seen.lines, #rows + 1, -1 do -- erased
    seen.raw[i], seen.lines[i], seen.spans[i] = nil, nil, nil
  end
  return seen
end

---@param block oi.Block
---@param item oi.Item
local function put_output(block, item)
  local seen = plain(item)
  local count = #seen.lines - (seen.lines[#seen.lines] == "" and 1 or 0)
  if count == 0 then
    return
  end
  block.rules[#block.lines - 1] = M.GAP
  local lines = vim.list_slice(seen.lines, 1, count)
  block.output = fenced(block, seen.ticks, lines, "output", "output")
  for i = 1, count do
    if #seen.spans[i] > 0 then
      block.spans[block.output[1] + i - 1] = seen.spans[i]
    end
  end
end

---@param block oi.Block
---@param item oi.Item
local function put_code(block, item)
  local lines, info = item.code.lines, M.filetype(item.language)
  if #lines > 1 and lines[#lines] == "" then
    lines = vim.list_slice(lines, 1, #lines - 1)
  end
  block.code = fenced(block, item.code.ticks, lines, info, item.language)
  if item.output then
    put_output(block, item)
  end
  for _, path in ipairs(item.pictures or {}) do
    block.pictures[#block.lines] = path
    table.insert(block.lines, ("![](%s)"):format(path)) -- `gx` finds it from anywhere in the line
  end
end

--- Words without the empty lines around them.
---@param lines string[]
---@return string[]
local function trimmed(lines)
  local first, last = 1, #lines
  while first < last and not lines[first]:find("%S") do
    first = first + 1
  end
  while last > first and not lines[last]:find("%S") do
    last = last - 1
  end
  return vim.list_slice(lines, first, last)
end

---@param item oi.Item
---@return oi.Block
function M.block(item)
  ---@type oi.Block
  local block = { lines = {}, rules = {}, spans = {}, pictures = {} }
  if item.kind == "code" then
    put_code(block, item)
  elseif item.kind == "user" then
    for _, line in ipairs(trimmed(item.text.lines)) do
      table.insert(block.lines, line == "" and ">" or "> " .. line)
    end
    block.group = "OIWords"
  else
    block.lines = trimmed(item.text.lines)
    block.group = item.kind == "notice" and "OIError" or nil
  end
  table.insert(block.lines, "")
  return block
end

return M
