-- Pictures and pages that code shows: kept as files of this session, for `gx` and image plugins.
local M = {}

-- What is kept of a display: the first that it has.
local KINDS = {
  { "image/png", "png", base64 = true },
  { "image/jpeg", "jpg", base64 = true },
  { "image/gif", "gif", base64 = true },
  { "image/svg+xml", "svg" },
  { "application/pdf", "pdf", base64 = true },
  { "text/html", "html" },
}
local SHOWN = { png = true, jpg = true, gif = true }

---@param display oi.Display
---@return string? path
local function save(display)
  for _, kind in ipairs(KINDS) do
    local data = display[kind[1]]
    if type(data) == "string" then
      local ok, bytes = true, data
      if kind.base64 then
        ok, bytes = pcall(vim.base64.decode, (data:gsub("%s", "")))
      end
      local path = ("%s.%s"):format(vim.fn.tempname(), kind[2]) -- Neovim removes it when it ends
      local file = ok and io.open(path, "wb")
      if file then
        file:write(bytes)
        file:close()
        return path
      end
    end
  end
end

--- Keep the displays of an item that are new; the paths of all are in `item.pictures`.
---@param item oi.Item
function M.save(item)
  local before = item.saved or {}
  item.saved, item.pictures = {}, {}
  for _, display in ipairs(item.displays) do
    local path = before[display]
    if path == nil then
      path = save(display) or false
    end
    item.saved[display] = path
    table.insert(item.pictures, path or nil)
  end
end

--- Show a picture below its line, if a plugin that can has been loaded.
---@param buf integer
---@param row integer
---@param path string
---@return fun()? close
local function show(buf, row, path)
  local snacks, image = package.loaded["snacks"], package.loaded["image"]
  if snacks and snacks.image and snacks.image.supports_terminal() then
    local at = { pos = { row + 1, 0 }, inline = true }
    local placement = snacks.image.placement.new(buf, path, at)
    return function()
      placement:close()
    end
  elseif image then
    local at = { buffer = buf, x = 0, y = row, with_virtual_padding = true, inline = true }
    at.window = vim.fn.bufwinid(buf)
    local placement = image.from_file(path, at)
    placement:render()
    return function()
      placement:clear()
    end
  end
end

---@class oi.Placement
---@field row integer
---@field close? fun()

--- Show pictures where they stand now; those that have gone or moved are closed there.
---@param buf integer
---@param placed table<string, oi.Placement> By path: what is shown; changed.
---@param rows table<string, integer> By path.
function M.place(buf, placed, rows)
  for path, placement in pairs(placed) do
    if rows[path] ~= placement.row then
      pcall(placement.close or function() end)
      placed[path] = nil
    end
  end
  if vim.fn.bufwinid(buf) == -1 then
    return
  end
  for path, row in pairs(rows) do
    if not placed[path] and SHOWN[path:match("%w+$")] then
      local ok, close = pcall(show, buf, row, path) -- what a plugin cannot show remains a path
      placed[path] = { row = row, close = ok and close or nil }
    end
  end
end

return M
