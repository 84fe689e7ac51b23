-- :checkhealth oi
local M = {}

local PATIENCE = 10000 -- milliseconds

--- Ask the daemon, and wait: a health check may.
---@param method string
---@return any? result
---@return string? why
local function ask(method)
  local answered, failure, answer = false, nil, nil
  require("oi.daemon").request(method, {}, function(err, result)
    answered, failure, answer = true, err, result
  end)
  vim.wait(PATIENCE, function()
    return answered
  end, 20)
  if not answered then
    return nil, "it does not answer"
  end
  return answer, failure and failure.message
end

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
  for _, language in ipairs((ask("oi/languages") or { languages = {} }).languages) do
    if language.available then
      vim.health.ok(language.name)
    else
      vim.health.info(("%s cannot be run: %s"):format(language.name, language.why or "unknown"))
    end
  end
end

local function check_daemon()
  local command, why = require("oi.daemon").command()
  if not command then
    return vim.health.error(why, { "See :help oi-install." })
  end
  local status
  status, why = ask("oi/status")
  if not status then
    return vim.health.error(("%s: %s"):format(command[1], why), {
      "Run it by hand: " .. table.concat(command, " "),
      "Read its log: :OI log",
    })
  end
  vim.health.ok(("%s, version %s, process %d"):format(command[1], status.version, status.pid))
  for _, problem in ipairs(status.problems) do
    vim.health.warn(problem)
  end
  check_model(ask("oi/settings/get") or {})
  vim.health.start("oi: languages")
  check_languages()
end

function M.check()
  vim.health.start("oi: Neovim")
  if vim.fn.has("nvim-0.10") == 1 then
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
