-- The choice of a conversation's model.
local daemon = require("oi.daemon")
local M = {}

---@class oi.Choice
---@field shown string
---@field settings? oi.Settings Nil: the person types the name of another model.

--- The models that are known.
---@param conversation oi.Conversation
---@param servers oi.LocalServerEntry[] Model servers on this machine.
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

--- Ask for the name of a model.
---@param conversation oi.Conversation
local function ask_name(conversation)
  vim.ui.input({ prompt = "Model: ", default = conversation.model }, function(model)
    if model and model ~= "" then
      conversation:send_settings({ model = model })
    end
  end)
end

--- Let the person choose by `vim.ui.select`: from the models of servers on this machine, and those
--- that the conversation's server offered when it did not have the one that was asked for.
---@param conversation oi.Conversation
function M.choose(conversation)
  daemon.request("oi/models", {}, function(_, result)
    local known = choices(conversation, result and result["local"] or {})
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
