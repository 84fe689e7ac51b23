local ansi = require("oi.ansi")

local function parsed(line, style)
  local text, spans, rest = ansi.parse(line, style)
  local shown = vim.tbl_map(function(span)
    return { text:sub(span.first + 1, span.last), span.style }
  end, spans)
  return text, shown, rest
end

local function same(wanted, got)
  assert(vim.deep_equal(wanted, got), vim.inspect(got))
end

return {
  ["plain text stays as it is"] = function()
    same({ "plain", {}, {} }, { parsed("plain") })
  end,
  ["colours and weights become spans"] = function()
    local text, spans = parsed("\27[1;31mred\27[0m and \27[92mgreen\27[39m.")
    same("red and green.", text)
    same({ { "red", { bold = true, fg = 1 } }, { "green", { fg = 10 } } }, spans)
  end,
  ["a style holds on in the next line"] = function()
    local _, _, style = parsed("\27[44mblue")
    local _, spans = parsed("still", style)
    same({ { "still", { bg = 4 } } }, spans)
  end,
  ["equal styles are one table, however often they are met"] = function()
    local _, first = ansi.parse("\27[1;31mred\27[0m")
    local _, again = ansi.parse("and \27[1;31mred\27[0m")
    assert(rawequal(first[1].style, again[1].style))
  end,
  ["256 and 16 million colours"] = function()
    local _, spans = parsed("\27[38;5;208ma\27[48;2;1;2;255mb")
    same({ { "a", { fg = 208 } }, { "b", { fg = 208, bg = "#0102ff" } } }, spans)
  end,
}
