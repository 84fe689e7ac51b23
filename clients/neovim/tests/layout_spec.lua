local Fold = require("oi.fold")
local layout = require("oi.layout")

local function same(wanted, got)
  assert(vim.deep_equal(wanted, got), vim.inspect(got))
end

local function block(message)
  return layout.block(Fold.new({ message }).items[1])
end

return {
  ["a person's words are quoted"] = function()
    local shown = block({ role = "user", message = "One\n\ntwo\n" })
    same({ "> One", ">", "> two", "" }, shown.lines)
    same("OIWords", shown.group)
  end,
  ["the model's words stand without empty lines around them"] = function()
    same(
      { "Hi", "", "there", "" },
      block({ role = "assistant", message = "\n\nHi\n\nthere\n" }).lines
    )
  end,
  ["code and its output stand in fences"] = function()
    local shown = block({ role = "assistant", language = "shell", code = "ls", output = "a\nb\n" })
    same({ "```sh", "ls", "```", "```output", "a", "b", "```", "" }, shown.lines)
    same({ 1, 2 }, shown.code)
    same({ 4, 6 }, shown.output)
    same("shell", shown.rules[0])
  end,
  ["a fence is longer than any in the code"] = function()
    local shown = block({ role = "assistant", language = "python", code = "'''\n````\n'''" })
    same("`````python", shown.lines[1])
    same("`````", shown.lines[5])
  end,
  ["empty output takes no room"] = function()
    local shown = block({ role = "assistant", language = "python", code = "x = 1", output = "" })
    same({ "```python", "x = 1", "```", "" }, shown.lines)
  end,
  ["how the code ended is written on a fence, where it says something"] = function()
    local code = { role = "assistant", language = "shell", code = "x", output = "" }
    same({ [0] = "shell", [2] = "" }, block(code).rules)
    code.status = "error"
    local failed = block(code)
    same({ [0] = "shell", [2] = "✗ failed" }, failed.rules)
    same(2, failed.failed)
    code.output, code.status = "a", "interrupted"
    same("output · interrupted", block(code).rules[3])
    local fold = Fold.new()
    fold:add({ executing = { code = "x", language = "shell" } })
    fold:add({ end_of_execution = true }, { status = "ok", seconds = 61.2 })
    same("1 min 1 s", layout.block(fold.items[1]).rules[2])
  end,
  ["colours of output are spans of its rows"] = function()
    local shown = block({
      role = "assistant",
      language = "python",
      code = "f()",
      output = "a\n\27[31mred\27[0m",
    })
    same({ "a", "red" }, { shown.lines[5], shown.lines[6] })
    same({ [5] = { { first = 0, last = 3, style = { fg = 1 } } } }, shown.spans)
  end,
  ["thinking is indented: its last words while it goes on, all of it afterwards"] = function()
    local fold = Fold.new()
    fold:add({ thinking = "```\n" .. ("long words "):rep(30) .. "and\nthe end." })
    local shown = layout.block(fold.items[1])
    same(2, #shown.lines)
    same("    …", shown.lines[1]:sub(1, 7))
    same("and the end.", shown.lines[1]:sub(-12))
    fold:add({ message = "Done." })
    shown = layout.block(fold.items[1])
    same({ "    ```", "    the end.", "" }, { shown.lines[1], shown.lines[3], shown.lines[4] })
    same("OIThinking", shown.group)
  end,
}
