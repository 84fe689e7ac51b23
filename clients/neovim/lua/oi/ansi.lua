-- ANSI colours of a line of output, as text without them and highlighted spans. Pure.
local M = {}

---@class oi.Style
---@field fg? integer|string Number of a colour in the palette, or "#rrggbb".
---@field bg? integer|string
---@field bold? boolean
---@field italic? boolean
---@field underline? boolean
---@field reverse? boolean

---@class oi.Span
---@field first integer Its first byte, counted from 0.
---@field last integer The byte after its last one.
---@field style oi.Style

local ON = { [1] = "bold", [3] = "italic", [4] = "underline", [7] = "reverse" }
local OFF = { [22] = "bold", [23] = "italic", [24] = "underline", [27] = "reverse" }
local GROUND = { [3] = "fg", [4] = "bg" }

--- The colour after the code 38 or 48.
---@param codes integer[]
---@param at integer
---@return integer|string? colour
---@return integer count How many codes describe it.
local function extended(codes, at)
  if codes[at] == 5 then
    return codes[at + 1], 2
  elseif codes[at] == 2 then
    local red, green, blue = codes[at + 1] or 0, codes[at + 2] or 0, codes[at + 3] or 0
    return ("#%02x%02x%02x"):format(red % 256, green % 256, blue % 256), 4
  end
  return nil, 0
end

local PLAIN = {} ---@type oi.Style
-- The result of `changed`, by its arguments: equal changes give the same table, without any work.
---@type table<oi.Style, table<string, oi.Style>>
local changes = setmetatable({}, { __mode = "k" })

--- The style after the numbers of an escape code, such as "1;31".
---@param style oi.Style
---@param numbers string
---@return oi.Style
local function changed(style, numbers)
  local codes, at = {}, 1
  for number in (numbers == "" and "0" or numbers):gmatch("[^;:]+") do
    table.insert(codes, tonumber(number) or 0)
  end
  style = vim.deepcopy(style)
  while codes[at] do
    local code = codes[at]
    local ground = GROUND[math.floor(code / 10)]
    local digit = code % 10
    ---@cast digit integer
    if code == 0 then
      style = {}
    elseif ON[code] or OFF[code] then
      style[ON[code] or OFF[code]] = ON[code] and true or nil
    elseif code >= 90 and code <= 107 then
      style[code < 100 and "fg" or "bg"] = digit + 8
    elseif ground and digit == 8 then
      local colour, taken = extended(codes, at + 1)
      style[ground], at = colour, at + taken
    elseif ground then
      style[ground] = digit < 8 and digit or nil
    end
    at = at + 1
  end
  return next(style) and style or PLAIN
end

--- The same as `changed`, from the cache where it is known.
---@param style oi.Style
---@param numbers string
---@return oi.Style
local function change(style, numbers)
  local known = changes[style] or {}
  changes[style] = known
  known[numbers] = known[numbers] or changed(style, numbers)
  return known[numbers]
end

--- Separate a line's text from its escape codes.
---@param line string
---@param style? oi.Style The style in force where the line begins.
---@return string text
---@return oi.Span[] spans
---@return oi.Style style The style in force where it ends.
function M.parse(line, style)
  style = style or PLAIN
  if not line:find("\27", 1, true) then
    return line, next(style) and { { first = 0, last = #line, style = style } } or {}, style
  end
  local parts, spans, length, at = {}, {}, 0, 1
  local function put(text)
    if text ~= "" then
      table.insert(parts, text)
      if next(style) then
        table.insert(spans, { first = length, last = length + #text, style = style })
      end
      length = length + #text
    end
  end
  local start, stop, numbers
  repeat
    start, stop, numbers = line:find("\27%[([%d;:]*)m", at)
    put(line:sub(at, start and start - 1))
    if stop and numbers then
      style, at = change(style, numbers), stop + 1
    end
  until not start
  return table.concat(parts), spans, style
end

return M
