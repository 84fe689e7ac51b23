-- The daemon's languages. Written by scripts/generate: do not edit.

---@class oi.Language
---@field name string
---@field aliases string[]
---@field filetypes string[] Filetypes that mean it. The first is the one to show its code under.
---@field suffix string Of its files, without the dot.

---@type oi.Language[]
return {
  {
    name = "python",
    aliases = { "py", "python3" },
    filetypes = { "python" },
    suffix = "py",
  },
  {
    name = "shell",
    aliases = { "sh", "bash", "console" },
    filetypes = { "sh", "bash" },
    suffix = "sh",
  },
  {
    name = "zsh",
    aliases = {},
    filetypes = { "zsh" },
    suffix = "zsh",
  },
  {
    name = "javascript",
    aliases = { "js", "node", "nodejs", "mjs", "cjs", "typescript", "ts" },
    filetypes = { "javascript", "javascriptreact", "typescript", "typescriptreact" },
    suffix = "js",
  },
  {
    name = "r",
    aliases = { "rscript" },
    filetypes = { "r" },
    suffix = "R",
  },
  {
    name = "powershell",
    aliases = { "pwsh", "ps1" },
    filetypes = { "ps1" },
    suffix = "ps1",
  },
  {
    name = "applescript",
    aliases = { "osascript" },
    filetypes = { "applescript" },
    suffix = "applescript",
  },
  {
    name = "html",
    aliases = { "htm" },
    filetypes = { "html" },
    suffix = "html",
  },
}
