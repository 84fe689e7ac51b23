-- Lays an item out as lines of Markdown. Pure: drawing is the view's.
local ansi = require("oi.ansi")
local activity = require("oi.activity")
local highlight = require("oi.highlight")
local languages = require("oi.languages")
local M = {}

---@class oi.Block An item as lines. Rows are counted from 0 at its first line.
---@field item oi.Item
---@field lines string[]
---@field rules table<integer, string> Label of each fence, by its row.
---@field failed? integer Row of the fence whose label says that the code has failed.
---@field group? string Highlight group of its rows.
---@field note? string What is written behind its first row. Set by the drawing.
---@field is_folded? boolean Whether its output or thinking has been folded. Set by the drawing.
---@field code integer[] First row of the code, and the row after the last one. Empty without code.
---@field output integer[] The same for the output.
---@field spans table<integer, oi.Span[]> Colours of the output, by row.
---@field pictures table<integer, string> Paths of pictures, by row.

---@class oi.PlainOutput Output without escape codes. Indices are line numbers, from 1.
---@field raw string[] The lines with their escape codes.
---@field lines string[]
---@field spans oi.Span[][]
---@field styles oi.Style[] The style in force at the end of each line.
---@field ticks integer Length of the longest run of backticks at the beginning of a line.

M.GAP = " " -- the label of a fence between code and its output

--- Append a fenced block.
---@param block oi.Block
---@param ticks integer Length of the longest run of backticks at the beginning of a line.
---@param lines string[]
---@param info string
---@param label string
---@param count? integer How many of the lines. Default: all.
---@return integer[] rows Its first row, and the row after its last.
local function fenced(block, ticks, lines, info, label, count)
  local fence = ("`"):rep(math.max(3, ticks + 1))
  block.rules[#block.lines] = label
  table.insert(block.lines, fence .. info)
  local first = #block.lines
  vim.list_extend(block.lines, lines, 1, count or #lines)
  block.rules[#block.lines] = ""
  table.insert(block.lines, fence)
  return { first, #block.lines - 1 }
end

--- The output's lines without escape codes. Only lines that are new are parsed.
---@param item oi.Item
---@param output oi.Lines
---@return oi.PlainOutput
local function plain(item, output)
  local seen = item.plain or { raw = {}, lines = {}, spans = {}, styles = {}, ticks = 0 }
  item.plain = seen
  local rows = output:all()
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

--- How code has ended, if that says something.
---@param item oi.Item
---@return string
function M.ending(item)
  local status = item.status or "ok"
  return status ~= "declined" and activity.ended(status, item.seconds) or ""
end

--- Write that on a fence.
---@param block oi.Block
---@param item oi.Item
---@param row integer
local function put_ending(block, item, row)
  local words, status = M.ending(item), item.status
  if words ~= "" then
    local label = block.rules[row]
    block.rules[row] = label == "" and words or ("%s · %s"):format(label, words)
    block.failed = (status == "error" or status == "killed") and row or nil
  end
end

---@param block oi.Block
---@param item oi.Item
---@param output oi.Lines
local function put_output(block, item, output)
  local seen = plain(item, output)
  local count = #seen.lines - (seen.lines[#seen.lines] == "" and 1 or 0)
  if count == 0 then
    return put_ending(block, item, #block.lines - 1)
  end
  block.rules[#block.lines - 1] = M.GAP
  block.output = fenced(block, seen.ticks, seen.lines, "output", "output", count)
  put_ending(block, item, block.output[1] - 1)
  local first = block.output[1]
  block.spans = setmetatable({}, {
    __index = function(_, row)
      return seen.spans[row - first + 1]
    end,
  })
end

---@param block oi.Block
---@param item oi.Item
---@param pictures string[]
local function put_code(block, item, pictures)
  local lines, info = item.text.lines, languages.filetype(item.language)
  local count = #lines - (#lines > 1 and lines[#lines] == "" and 1 or 0)
  block.code = fenced(block, item.text.ticks, lines, info, item.language, count)
  if item.output then
    put_output(block, item, item.output)
  end
  for _, path in ipairs(pictures) do
    block.pictures[#block.lines] = path
    table.insert(block.lines, ("![](%s)"):format(path)) -- `gx` finds it from anywhere in the line
  end
end

--- The lines without empty ones at the beginning and at the end.
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

local THINKING_SHOWN = 160 -- characters of thinking that goes on

--- Thinking: all of it once it is over, its last words before. It is indented, so that no Markdown
--- in it has an effect on what follows.
---@param item oi.Item
---@return string[]
local function thinking(item)
  local lines = trimmed(item.text.lines)
  if not item.seconds then
    local last = table.concat(vim.list_slice(lines, math.max(1, #lines - 5)), " "):gsub("%s+", " ")
    local first = math.max(0, vim.fn.strchars(last) - THINKING_SHOWN)
    lines = { (first > 0 and "…" or "") .. vim.fn.strcharpart(last, first) }
  end
  return vim.tbl_map(function(line)
    return line == "" and "" or "    " .. line
  end, lines)
end

---@param item oi.Item
---@param pictures? string[] Addresses of its pictures.
---@return oi.Block
function M.block(item, pictures)
  ---@type oi.Block
  local block =
    { item = item, lines = {}, rules = {}, code = {}, output = {}, spans = {}, pictures = {} }
  if item.kind == "code" then
    put_code(block, item, pictures or {})
  elseif item.kind == "user" then
    for _, line in ipairs(trimmed(item.text.lines)) do
      table.insert(block.lines, line == "" and ">" or "> " .. line)
    end
    block.group = "OIWords"
  elseif item.kind == "thinking" then
    block.lines = thinking(item)
    block.group = "OIThinking"
  else
    block.lines = trimmed(item.text.lines)
    block.group = item.kind == "notice" and (item.topic and "OINotice" or "OIError") or nil
  end
  table.insert(block.lines, "")
  return block
end

--- A line of output with its colours.
---@param text string
---@param spans oi.Span[]
---@return string[][] virt_text
local function coloured(text, spans)
  local parts, at = { { "▏", "OIRule" } }, 0
  for _, span in ipairs(spans) do
    table.insert(parts, { text:sub(at + 1, span.first), "OICode" })
    table.insert(parts, { text:sub(span.first + 1, span.last), highlight.ansi(span.style) })
    at = span.last
  end
  table.insert(parts, { text:sub(at + 1), "OICode" })
  return parts
end

--- Output and pictures of a block, to be shown beside code.
---@param block oi.Block
---@param most integer Lines to show.
---@return string[][][] virt_lines
---@return integer more How many lines are left out.
function M.virtual(block, most)
  local first, after = block.output[1] or 0, block.output[2] or 0
  local shown = math.min(after, first + most)
  local lines = {}
  for row = first, shown - 1 do
    table.insert(lines, coloured(block.lines[row + 1], block.spans[row] or {}))
  end
  for row in vim.spairs(block.pictures) do
    table.insert(lines, { { "▏", "OIRule" }, { block.lines[row + 1], "OIPicture" } })
  end
  return lines, after - shown
end

return M
