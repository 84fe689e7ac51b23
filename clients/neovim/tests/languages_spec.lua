local languages = require("oi.languages")

local function same(wanted, got)
  assert(wanted == got, vim.inspect(got))
end

return {
  ["code of a language is shown in a filetype of Neovim"] = function()
    same("sh", languages.filetype("shell"))
    same("python", languages.filetype("py"))
    same("typescript", languages.filetype("typescript"))
    same("julia", languages.filetype("julia"))
  end,
  ["a filetype leads to a name that the daemon knows"] = function()
    same("powershell", languages.of_filetype("powershell"))
    same("ps1", languages.of_filetype("ps1"))
    same("javascript", languages.of_filetype("javascriptreact"))
    same("julia", languages.of_filetype("julia"))
  end,
}
