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

--- Show a picture below its line, where a plugin that can has been loaded.
---@param buf integer
---@param row integer
---@param path string
function M.show(buf, row, path)
  if not path:find("%.[pjg][npi][gf]$") then
    return
  end
  local snacks, image = package.loaded["snacks"], package.loaded["image"]
  if snacks and snacks.image and snacks.image.supports_terminal() then
    pcall(snacks.image.placement.new, buf, path, { pos = { row + 1, 0 }, inline = true })
  elseif image then
    pcall(function()
      local at = { buffer = buf, x = 0, y = row, with_virtual_padding = true, inline = true }
      at.window = vim.fn.bufwinid(buf)
      image.from_file(path, at):render()
    end)
  end
end

return M
