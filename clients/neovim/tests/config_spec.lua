local config = require("oi.config")

local function refused(options, wanted)
  local ok, why = pcall(config.merge, options)
  assert(not ok and why:find(wanted, 1, true), why)
end

return {
  ["options are merged into those there are"] = function()
    config.merge({ keys = { edit = "E" } })
    config.merge({ output_lines = 5 })
    assert(config.options.keys.edit == "E" and config.options.keys.skip == "x")
    assert(config.options.output_lines == 5)
    config.options = vim.deepcopy(config.defaults)
  end,
  ["an unknown option is named"] = function()
    refused({ ouput_lines = 3 }, '"ouput_lines"')
    refused({ keys = { jump = "j" } }, "keys.jump")
  end,
  ["a value of the wrong type is named"] = function()
    refused({ cmd = "oi-daemon" }, "cmd must be a table")
  end,
}
