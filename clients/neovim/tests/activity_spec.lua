local Activity = require("oi.activity")

local root = vim.fs.dirname(vim.fs.find("docs/protocol.md", { upward = true, path = arg[0] })[1])

local spec = {}

local file = assert(io.open(vim.fs.joinpath(root, "examples/activities.json")))
local examples = vim.json.decode(file:read("*a"), { luanil = { object = true } })
file:close()

for _, golden in ipairs(examples) do
  spec["golden: " .. golden.name] = function()
    local now = 100
    local activity = Activity.new(function()
      return now
    end)
    for number, step in ipairs(golden.steps) do
      now = now + (step.after or 0)
      if step.begin then
        activity:enter("thinking")
      elseif step.chunk then
        activity:add(step.chunk, step.state)
      end
      local words = activity:words(golden.model)
      assert(words == step.words, ("step %d: %s, not %s"):format(number, words, step.words))
    end
  end
end

spec["before a turn the conversation is ready"] = function()
  assert(Activity.new(os.time):words("a") == "ready")
end

return spec
