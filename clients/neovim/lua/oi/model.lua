-- Which model a conversation goes on with: chosen of those that are known, or named.
local daemon = require("oi.daemon")
local M = {}

---@class oi.Choice
---@field shown string
---@field settings? table<string, any> None: another, that is to be named.

---@param conversation oi.Conversation
---@param servers { api_base: string, models: string[] }[] On this machine.
---@return oi.Choice[]
local function choices(conversation, servers)
  local known = {}
  for _, name in ipairs(conversation.offered) do
    table.insert(known, { shown = name, settings = { model = name } })
  end
  for _, server in ipairs(servers) do
    for _, name in ipairs(server.models) do
      local shown = ("%s (on this machine, %s)"):format(name, server.api_base)
      table.insert(
        known,
        { shown = shown, settings = { model = name, api_base = server.api_base } }
      )
    end
  end
  return known
end

---@param conversation oi.Conversation
local function name(conversation)
  vim.ui.input({ prompt = "Model: ", default = conversation.model }, function(model)
    if model and model ~= "" then
      conversation:send_settings({ model = model })
    end
  end)
end

--- Have the person choose, by `vim.ui.select` where models are known: those of model servers on
--- this machine, and those that the server offered in place of one that it did not have.
---@param conversation oi.Conversation
function M.choose(conversation)
  daemon.request("oi/models", {}, function(_, result)
    local known = choices(conversation, result and result["local"] or {})
    if #known == 0 then
      return name(conversation)
    end
    table.insert(known, { shown = "another, by its name" })
    vim.ui.select(known, {
      prompt = "Model",
      kind = "oi.model",
      format_item = function(choice) ---@param choice oi.Choice
        return choice.shown
      end,
    }, function(choice)
      if choice and choice.settings then
        conversation:send_settings(choice.settings)
      elseif choice then
        name(conversation)
      end
    end)
  end)
end

return M
