-- Runs the specs beside it: nvim -l clients/neovim/tests/run.lua
-- A spec is a table of claims: name -> function that raises if it does not hold.
local here = vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(arg[0], ":p")))
vim.opt.rtp:prepend(vim.fs.dirname(here))

local failed, count = 0, 0
for name in vim.fs.dir(here) do
  if name:find("_spec%.lua$") then
    for claim, holds in vim.spairs(dofile(vim.fs.joinpath(here, name))) do
      local ok, why = xpcall(holds, debug.traceback)
      count = count + 1
      if not ok then
        failed = failed + 1
        print(("%s: %s\n%s\n"):format(name, claim, why))
      end
    end
  end
end
print(("%d claims, %d failed\n"):format(count, failed))
os.exit(failed == 0 and count > 0 and 0 or 1)
