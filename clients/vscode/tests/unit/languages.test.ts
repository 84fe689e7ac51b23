import { expect, test } from "vitest";
import { toDaemon, toEditor } from "../../src/languages";

test.each([
  ["shell", "shellscript"],
  ["bash", "shellscript"],
  ["py", "python"],
  ["typescript", "typescript"],
  ["julia", "julia"],
  ["", "plaintext"],
])("code of the language %j is shown as %j", (name, id) => {
  expect(toEditor(name)).toBe(id);
});

test.each([
  ["shellscript", "shell"],
  ["javascriptreact", "javascript"],
  ["typescript", "typescript"],
  ["julia", "julia"],
])("a cell in %j runs as %j", (id, name) => {
  expect(toDaemon(id)).toBe(name);
});
