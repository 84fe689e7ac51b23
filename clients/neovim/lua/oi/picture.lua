-- Pictures and pages that code displays: files of this session, for `gx` and image plugins.
local M = {}

---@class oi.PictureKind
---@field mime string
---@field suffix string
---@field is_base64 boolean

-- Of a display, the first of these is saved.
---@type oi.PictureKind[]
local KINDS = {
  { mime = "image/png", suffix = "png", is_base64 = true },
  { mime = "image/jpeg", suffix = "jpg", is_base64 = true },
  { mime = "image/gif", suffix = "gif", is_base64 = true },
  { mime = "image/svg+xml", suffix = "svg", is_base64 = false },
  { mime = "application/pdf", suffix = "pdf", is_base64 = true },
  { mime = "text/html", suffix = "html", is_base64 = false },
}
local SHOWN = { png = true, jpg = true, gif = true }

---@param display oi.Display
---@return oi.PictureKind? kind
---@return string data
local function find(display)
  for _, kind in ipairs(KINDS) do
    local data = display[kind.mime]
    if type(data) == "string" then
      return kind, data
    end
  end
  return nil, ""
end

---@param display oi.Display
---@return string? path
local function save(display)
  local kind, data = find(display)
  if not kind then
    return nil
  end
  local is_valid, decoded = true, data ---@type boolean, any
  if kind.is_base64 then
    is_valid, decoded = pcall(vim.base64.decode, (data:gsub("%s", "")))
  end
  local path = ("%s.%s"):format(vim.fn.tempname(), kind.suffix) -- Neovim removes it when it ends
  local file = is_valid and io.open(path, "wb")
  if file then
    file:write(decoded)
    file:close()
    return path
  end
end

--- Save the displays of an item that are new. The paths of all are in `item.pictures`.
---@param item oi.Item
function M.save(item)
  local before, files, pictures = item.files or {}, {}, {}
  for _, display in ipairs(item.displays) do
    local path = before[display]
    if path == nil then
      path = save(display) or false
    end
    files[display] = path
    if path then
      table.insert(pictures, path)
    end
  end
  item.files, item.pictures = files, pictures
end

--- The pictures of an item as addresses that hold their data, for a file of its own.
---@param item oi.Item
---@return string[]
function M.embedded(item)
  local addresses = {}
  for _, display in ipairs(item.displays) do
    local kind, data = find(display)
    if kind and vim.startswith(kind.mime, "image/") then
      local encoded = kind.is_base64 and data:gsub("%s", "") or vim.base64.encode(data)
      table.insert(addresses, ("data:%s;base64,%s"):format(kind.mime, encoded))
    end
  end
  return addresses
end

--- Show a picture below its line, if a plugin that can do so is loaded.
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

---@class oi.Placement A picture that is shown.
---@field row integer
---@field close? fun()

--- Show pictures at these rows. Close those that were shown elsewhere.
---@param buf integer
---@param placed table<string, oi.Placement> What is shown, by path. It is brought up to date.
---@param rows table<string, integer> Where to show them, by path.
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
      local ok, close = pcall(show, buf, row, path) -- if the plugin fails, the path is still there
      placed[path] = { row = row, close = ok and close or nil }
    end
  end
end

return M
