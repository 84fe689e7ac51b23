local Fold = require("oi.fold")

local root = vim.fs.dirname(vim.fs.find("docs/protocol.md", { upward = true, path = arg[0] })[1])

---@param name string
local function example(name)
  local file = assert(io.open(vim.fs.joinpath(root, "examples", name)))
  local text = file:read("*a")
  file:close()
  return vim.json.decode(text, { luanil = { object = true } }) -- as vim.lsp.rpc does
end

local function same(wanted, got)
  assert(
    vim.deep_equal(wanted, got),
    "wanted " .. vim.inspect(wanted) .. "\ngot " .. vim.inspect(got)
  )
end

---@param chunks oi.Chunk[]
---@param results? oi.BlockResult[] What comes with each `end_of_execution`.
local function folded(chunks, results)
  local fold, ended = Fold.new(), 0
  for _, chunk in ipairs(chunks) do
    ended = ended + (chunk.end_of_execution and 1 or 0)
    fold:add(chunk, chunk.end_of_execution and results and results[ended])
  end
  return fold
end

local spec = {}

for _, golden in ipairs(example("folds.json")) do
  spec["golden: " .. golden.name] = function()
    same(golden.messages, folded(golden.chunks, golden.results):messages())
  end

  spec["golden, with neighbouring text joined: " .. golden.name] = function()
    local joined = {}
    for _, chunk in ipairs(golden.chunks) do
      local kind, text = next(chunk)
      local last = joined[#joined]
      if type(text) == "string" and kind ~= "language" and last and last[kind] then
        joined[#joined] = { [kind] = last[kind] .. text }
      else
        table.insert(joined, chunk)
      end
    end
    same(golden.messages, folded(joined, golden.results):messages())
  end

  spec["golden, with output split into characters: " .. golden.name] = function()
    local split = {}
    for _, chunk in ipairs(golden.chunks) do
      for character in (chunk.output or ""):gmatch("[^\128-\191][\128-\191]*") do
        table.insert(split, { output = character })
      end
      if not chunk.output then
        table.insert(split, chunk)
      end
    end
    same(golden.messages, folded(split, golden.results):messages())
  end

  spec["golden, restored from its messages: " .. golden.name] = function()
    same(golden.messages, Fold.new(golden.messages):messages())
  end
end

spec["each example of a chunk is known"] = function()
  for _, kind in ipairs({ "message", "language", "code", "executing", "output", "display" }) do
    local params = example(("chunk-%s.json"):format(kind)).params
    assert(folded({ { language = "python" }, params.chunk }).items[1], kind)
  end
end

spec["the active line moves, and is none after the block"] = function()
  local chunks = { { executing = { code = "1\n2", language = "python" } }, { active_line = 2 } }
  local fold = folded(chunks)
  assert(fold.items[1].active_line == 2)
  fold:add({})
  assert(fold.items[1].active_line == nil)
  fold:add({ active_line = 1 })
  fold:add({ end_of_execution = true })
  assert(fold.items[1].active_line == nil)
end

spec["a block that prints nothing has run, all the same"] = function()
  local fold = folded({
    { executing = { code = "x = 1", language = "python" } },
    { end_of_execution = true },
  })
  same(
    { { role = "assistant", language = "python", code = "x = 1", output = "" } },
    fold:messages()
  )
end

spec["a notice comes before what goes on growing, and is no message"] = function()
  local notice = { notice = { kind = "save", message = "The disk is full." } }
  local fold = folded({ { message = "a" }, notice, { message = "b" } })
  same("notice", fold.items[1].kind)
  same({ { role = "assistant", message = "ab" } }, fold:messages())
end

spec["a later retry replaces the earlier one, and none is left after it"] = function()
  local function retry(message)
    return { notice = { kind = "retry", message = message, seconds = 1 } }
  end
  local fold = Fold.new({ { role = "user", message = "Hi" } })
  fold:add(retry("in 1 s"))
  fold:add(retry("in 2 s"))
  same(2, #fold.items)
  same("in 2 s", tostring(fold.items[2].text))
  assert(fold:is_unanswered())
  fold:remove_notices("retry")
  same(1, #fold.items)
end

spec["a message without an answer is taken back with its notices"] = function()
  local fold = Fold.new({ { role = "assistant", message = "Before" } })
  fold:ask("Hi")
  fold:add({ notice = { kind = "limit", message = "Slow." } })
  assert(fold:is_unanswered())
  fold:retract()
  same(1, #fold.items)
end

spec["a declined block keeps its status, and unknown kinds of chunks change nothing"] = function()
  local block = { executing = { code = "1", language = "python" } }
  local fold =
    folded({ block, { thinking = "Hm" }, { telepathy = {} }, { declined = { by = "skip" } } })
  local stored = { role = "assistant", language = "python", code = "1", status = "declined" }
  same({ stored }, fold:messages())
  same({ stored }, Fold.new({ stored }):messages())
end

spec["text arrives at the same lines, wherever it is cut"] = function()
  local text = "a\n\nbc\n"
  for cut = 0, #text do
    local fold = folded({ { message = text:sub(1, cut) }, { message = text:sub(cut + 1) } })
    same({ "a", "", "bc", "" }, fold.items[1].text.lines)
  end
end

local function thinking(...)
  local now = 0
  local fold = Fold.new(nil, function()
    now = now + 1
    return now
  end)
  for _, chunk in ipairs({ ... }) do
    fold:add(chunk)
  end
  return fold
end

local function kinds(fold)
  return vim.tbl_map(function(item)
    return item.kind
  end, fold.items)
end

spec["thinking is shown before what it led to, with its seconds, and is no message"] = function()
  local fold = thinking({ thinking = "A " }, { thinking = "quotient." }, { message = "1.4" })
  same({ "thinking", "message" }, kinds(fold))
  same("A quotient.", tostring(fold.items[1].text))
  same(1, fold.items[1].seconds)
  same({ { role = "assistant", message = "1.4" } }, fold:messages())
end

spec["thinking parts no message that goes on, and is shown after one that has ended"] = function()
  local fold = thinking({ message = "One" }, { thinking = "Hm" }, { message = " two." })
  same({ "message" }, kinds(fold))
  fold:add({ thinking = "Let me run it." })
  same({ "message" }, kinds(fold))
  fold:add({ language = "python" })
  same({ "message", "thinking", "code" }, kinds(fold))
  same("Let me run it.", tostring(fold.items[2].text))
end

spec["thinking that led to nothing is removed: at the end of the turn, and by a retry"] = function()
  local fold = thinking({ thinking = "Hm" })
  fold:close()
  same({}, fold.items)
  local retry = { notice = { kind = "retry", message = "Busy.", seconds = 1 } }
  same({ "notice" }, kinds(thinking({ thinking = "Hm" }, retry)))
end

spec["a failed message is taken back with its thinking"] = function()
  local fold = Fold.new()
  fold:ask("Hello?")
  fold:add({ thinking = "Hm" })
  fold:close()
  same(true, fold:is_unanswered())
end

return spec
