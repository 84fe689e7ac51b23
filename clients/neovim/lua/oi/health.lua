-- :checkhealth oi
local daemon = require("oi.daemon")
local M = {}

---@param settings table<string, any>
local function check_model(settings)
  local has_key = settings.api_key or settings.api_base or settings["local"]
  if has_key then
    vim.health.ok(("model: %s"):format(settings.model))
  else
    vim.health.warn(("model: %s, but there is no key"):format(settings.model), {
      "Set OPENAI_API_KEY in the environment that Neovim starts in,",
      'or name a server: require("oi").setup({ settings = { api_base = "http://..." } }),',
      'or use a model on this machine: require("oi").setup({ settings = { ["local"] = true } }).',
    })
  end
end

local function check_languages()
  local result = daemon.ask("oi/languages", {})
  for _, language in ipairs(result and result.languages or {}) do
    if language.available then
      vim.health.ok(language.name)
    else
      vim.health.info(("%s cannot be run: %s"):format(language.name, language.why or "unknown"))
    end
  end
end

local function check_daemon()
  local command, why = daemon.command()
  if not command then
    return vim.health.error(why or "", { "See :help oi-install" })
  end
  local status, failure = daemon.ask("oi/status", {})
  if not status then
    return vim.health.error(("%s: %s"):format(command[1], failure), {
      "Run it by hand: " .. table.concat(command, " "),
      "Read its log: :OI log",
    })
  end
  vim.health.ok(("%s, version %s, process %d"):format(command[1], status.version, status.pid))
  for _, problem in ipairs(status.problems) do
    vim.health.warn(problem)
  end
  local settings = daemon.ask("oi/settings/get", {})
  check_model(settings or {})
  vim.health.start("oi: languages")
  check_languages()
end

function M.check()
  vim.health.start("oi: Neovim")
  if vim.fn.has("nvim-0.10") == 1 then
    ---@diagnostic disable-next-line: call-non-callable -- it is
    vim.health.ok(tostring(vim.version()))
  else
    vim.health.error("Neovim 0.10 or later is needed.")
  end
  if pcall(vim.treesitter.language.inspect, "markdown") then
    vim.health.ok("treesitter parser for Markdown")
  else
    vim.health.info("No treesitter parser for Markdown: Vim's own syntax is used.")
  end
  vim.health.start("oi: daemon")
  check_daemon()
end

return M
