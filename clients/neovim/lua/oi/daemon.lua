-- The daemon's process: found, started at first need, ended with Neovim.
local config = require("oi.config")
local uv = vim.uv --[[@as oi.Uv]]
local M = {}

local PATIENCE = 10000 -- milliseconds to wait for an answer

---@class oi.Error What a request is answered with if it fails.
---@field message string What happened, and what to do about it.
---@field code? integer
---@field data? { kind: string, models?: string[] }

---@class oi.Listener
---@field chunk fun(params: oi.ChunkParams)
---@field crash fun(why: string) The daemon ended unexpectedly. Open requests have been answered.

---@type oi.Listener[]
local listeners = {}
---@type table<integer, fun(err?: oi.Error, result?: any)> Callbacks of the open requests.
local open = {}
local last_id = 0
---@type vim.lsp.rpc.PublicClient?
local client

---@param listener oi.Listener
function M.listen(listener)
  table.insert(listeners, listener)
end

---@param path string
---@return boolean
local function is_executable(path)
  return vim.fn.executable(path) == 1
end

--- The daemon's command, or why there is none.
---@return string[]? command
---@return string? why
function M.command()
  local cmd = config.options.cmd
  if cmd then
    if is_executable(cmd[1]) then
      return cmd
    end
    return nil, ("The option cmd names %s, which cannot be run."):format(cmd[1])
  end
  local environment = vim.env.VIRTUAL_ENV
  local own = environment and vim.fs.joinpath(environment, "bin", "oi-daemon")
  for _, path in ipairs({ own or "oi-daemon", "oi-daemon" }) do
    if is_executable(path) then
      local found = { vim.fn.exepath(path), "--stdio" }
      return config.options.shared and vim.list_extend(found, { "--shared" }) or found
    end
  end
  return nil,
    "oi-daemon is neither in $VIRTUAL_ENV nor in $PATH. Install it (pip install oi-daemon), or name"
      .. ' it: require("oi").setup({ cmd = { "/path/to/oi-daemon", "--stdio" } })'
end

--- Answer all open requests with an error.
---@param why string
local function fail_all(why)
  local failed = open
  open = {}
  for _, callback in pairs(failed) do
    callback({ message = why, data = { kind = "ended" } })
  end
end

--- A message's value without null fields: in Neovim 0.12 they are there, as `vim.NIL`.
---@param value any
---@return any
local function without_nulls(value)
  if value == vim.NIL then
    return nil
  elseif type(value) == "table" then
    for key, field in pairs(value) do
      value[key] = without_nulls(field)
    end
  end
  return value
end

---@param ended vim.lsp.rpc.PublicClient
---@param code integer
---@param signal integer
local function on_exit(ended, code, signal)
  if client ~= ended then
    return -- ended by us
  end
  client = nil
  local how = signal ~= 0 and ("signal %d"):format(signal) or ("code %d"):format(code)
  local why = ("The daemon ended unexpectedly (%s). :OI log says more."):format(how)
  fail_all(why)
  for _, listener in ipairs(listeners) do
    listener.crash(why)
  end
end

---@return vim.lsp.rpc.PublicClient? client
---@return string why There is none.
local function start()
  local command, why = M.command()
  if not command then
    return nil, why or ""
  end
  local started ---@type vim.lsp.rpc.PublicClient
  local ok, result = pcall(vim.lsp.rpc.start, command, {
    notification = function(method, params)
      if method == "oi/chunk" and client == started then
        params = without_nulls(params)
        for _, listener in ipairs(listeners) do
          listener.chunk(params)
        end
      end
    end,
    server_request = function() end, -- the daemon sends none
    on_error = function() end, -- of reading; the exit that follows is shown
    on_exit = vim.schedule_wrap(function(code, signal)
      on_exit(started, code, signal)
    end),
  })
  if not ok or not result then
    return nil, ("%s cannot be started: %s"):format(command[1], result)
  end
  started = result
  return started, ""
end

---@param running vim.lsp.rpc.PublicClient
---@param method string
---@param params table
---@param callback? fun(err?: oi.Error, result?: any)
local function send(running, method, params, callback)
  last_id = last_id + 1
  local id = last_id
  open[id] = callback or function() end
  running.request(
    method,
    vim.tbl_isempty(params) and vim.empty_dict() or params,
    vim.schedule_wrap(function(err, result)
      local answer = open[id]
      if answer then
        open[id] = nil
        answer(without_nulls(err), without_nulls(result))
      end
    end)
  )
end

---@param running vim.lsp.rpc.PublicClient
local function initialize(running)
  local settings = vim.tbl_extend("keep", config.options.settings, { cwd = vim.fn.getcwd() })
  ---@diagnostic disable-next-line: call-non-callable -- it is
  local version = tostring(vim.version())
  send(running, "initialize", {
    processId = uv.os_getpid(),
    clientInfo = { name = "Neovim", version = version },
    rootUri = vim.NIL,
    capabilities = vim.empty_dict(),
    initializationOptions = { settings = settings },
  }, function(err)
    if err then
      M.stop(err.message)
    else
      running.notify("initialized", vim.empty_dict())
    end
  end)
end

--- Starts the daemon if it does not run. The answer never comes before this returns.
---@param method string
---@param params table
---@param callback? fun(err?: oi.Error, result?: any)
local function request(method, params, callback)
  local why
  if not client then
    client, why = start()
    if not client then
      local answer = callback or function() end
      return vim.schedule(function()
        answer({ message = why, data = { kind = "missing" } })
      end)
    end
    initialize(client)
  end
  send(client, method, params, callback)
end
M.request = request ---@as oi.Request

--- Send a request and wait for the answer.
---@param method string
---@param params table
---@return any? result
---@return string why There is no result.
function M.ask(method, params)
  local is_answered, why, answer = false, "", nil
  request(method, params, function(err, result)
    is_answered, why, answer = true, err and err.message or "", result
  end)
  vim.wait(PATIENCE, function()
    return is_answered
  end, 20)
  return answer, is_answered and why or "it does not answer"
end

--- End the daemon. Open requests are answered with an error.
---@param why? string
function M.stop(why)
  local ended = client
  client = nil
  if ended then
    ended.notify("exit")
    ended.terminate()
  end
  fail_all(why or "The daemon was ended.")
end

--- Path of the daemon's log file: where the Python package platformdirs puts it.
---@return string
function M.log_path()
  if vim.fn.has("mac") == 1 then
    return vim.fs.normalize("~/Library/Logs/oi-daemon/oi-daemon.log")
  end
  local state = vim.env.XDG_STATE_HOME or vim.fs.normalize("~/.local/state")
  return vim.fs.joinpath(state, "oi-daemon", "log", "oi-daemon.log")
end

vim.api.nvim_create_autocmd("VimLeavePre", {
  group = vim.api.nvim_create_augroup("oi.daemon", {}),
  callback = function()
    M.stop()
  end,
})

return M
