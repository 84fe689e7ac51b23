-- The choice of a conversation's model.
local daemon = require("oi.daemon")
local M = {}

---@class oi.Choice
---@field shown string
---@field settings? oi.Settings Nil: the person types the name of another model.

--- The models that are known.
---@param offered string[] The models of the conversation's server, the best ones first.
---@param servers oi.ServerEntry[] Model servers on this machine.
---@return oi.Choice[]
local function choices(offered, servers)
  local known = {}
  for _, name in ipairs(offered) do
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

--- Ask for the name of a model.
---@param conversation oi.Conversation
local function ask_name(conversation)
  vim.ui.input({ prompt = "Model: ", default = conversation.model }, function(model)
    if model and model ~= "" then
      conversation:send_settings({ model = model })
    end
  end)
end

--- Names of the models that are known.
---@param conversation? string
---@return string[]
function M.names(conversation)
  local result = daemon.ask("oi/models", { conversation = conversation })
  local servers = vim.list_extend({ result and result.server }, result and result["local"] or {})
  local names = {}
  for _, server in ipairs(servers) do
    vim.list_extend(names, type(server) == "table" and server.models or {})
  end
  return names
end

--- Let the person choose by `vim.ui.select`: from the models of the conversation's server, the best
--- ones first, and those of servers on this machine.
---@param conversation oi.Conversation
function M.choose(conversation)
  daemon.request("oi/models", { conversation = conversation.id }, function(_, result)
    local server = result and result.server
    local offered = type(server) == "table" and server.models or conversation.offered
    local known = choices(offered, result and result["local"] or {})
    if #known == 0 then
      return ask_name(conversation)
    end
    table.insert(known, { shown = "another, by its name" })
    vim.ui.select(known, {
      prompt = "Model",
      kind = "oi.model",
      ---@param choice oi.Choice
      format_item = function(choice)
        return choice.shown
      end,
    }, function(choice)
      if choice and choice.settings then
        conversation:send_settings(choice.settings)
      elseif choice then
        ask_name(conversation)
      end
    end)
  end)
end

return M
