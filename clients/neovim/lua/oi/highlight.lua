-- Highlight groups: links to standard ones, and one for each style of ANSI escape codes.
local M = {}

local LINKS = {
  OIWords = "Title",
  OIRule = "NonText",
  OILabel = "Comment",
  OIActiveLine = "Visual",
  OIActiveSign = "DiagnosticInfo",
  OIKey = "Special",
  OIHint = "Comment",
  OIError = "DiagnosticError",
  OINotice = "DiagnosticWarn",
  OIThinking = "Comment",
  OIAlways = "DiagnosticWarn",
  OIPicture = "Underlined",
  OIState = "DiagnosticInfo",
  OICost = "Comment",
}

function M.define()
  vim.api.nvim_set_hl(0, "OICode", { default = true }) -- for a person's own colours
  for group, target in pairs(LINKS) do
    vim.api.nvim_set_hl(0, group, { link = target, default = true })
  end
end

---@type table<string, string> Name of the group of a style, by the style's text.
local groups = {}
---@type table<oi.Style, string> The same by the table itself, which is faster to look up.
local found = setmetatable({}, { __mode = "k" })
-- The palette of xterm, for colours that g:terminal_color_N does not set.
local PALETTE = {
  [0] = "#000000",
  "#cd3131",
  "#0dbc79",
  "#c7a500",
  "#2472c8",
  "#bc3fbc",
  "#11a8cd",
  "#cccccc",
  "#767676",
  "#f14c4c",
  "#23d18b",
  "#e5e510",
  "#3b8eea",
  "#d670d6",
  "#29b8db",
  "#ffffff",
} -- stylua: ignore
local CUBE = { [0] = 0, 95, 135, 175, 215, 255 }

---@param colour integer|string|nil
---@return string?
local function rgb(colour)
  if type(colour) ~= "number" then
    return colour
  elseif colour < 16 then
    return vim.g["terminal_color_" .. colour] or PALETTE[colour]
  elseif colour < 232 then
    local index = colour - 16
    local red, green, blue = math.floor(index / 36), math.floor(index / 6) % 6, index % 6
    return ("#%02x%02x%02x"):format(CUBE[red], CUBE[green], CUBE[blue])
  end
  local grey = 8 + (colour - 232) * 10
  return ("#%02x%02x%02x"):format(grey, grey, grey)
end

--- The group of a style of ANSI escape codes.
---@param style oi.Style
---@return string
function M.ansi(style)
  if found[style] then
    return found[style]
  end
  local key = vim.inspect(style, { newline = "", indent = "" })
  if not groups[key] then
    local name = "OIAnsi" .. (vim.tbl_count(groups) + 1)
    vim.api.nvim_set_hl(0, name, {
      fg = rgb(style.fg),
      bg = rgb(style.bg),
      ctermfg = type(style.fg) == "number" and style.fg or nil,
      ctermbg = type(style.bg) == "number" and style.bg or nil,
      bold = style.bold,
      italic = style.italic,
      underline = style.underline,
      reverse = style.reverse,
    })
    groups[key] = name
  end
  found[style] = groups[key]
  return groups[key]
end

vim.api.nvim_create_autocmd("ColorScheme", {
  group = vim.api.nvim_create_augroup("oi.highlight", {}),
  callback = function()
    groups, found = {}, setmetatable({}, { __mode = "k" })
  end,
})

return M
