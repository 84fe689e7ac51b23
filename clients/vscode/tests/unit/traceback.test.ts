import { expect, test } from "vitest";
import { Executions, linked } from "../../src/traceback";

const TRACEBACK = [
  "Traceback (most recent call last):",
  '  File "<block 7>", line 2, in <module>',
  "    f()",
  '  File "<block 6>", line 3, in f',
  "    json.loads('x')",
  '  File "/usr/lib/python3/json/decoder.py", line 355, in raw_decode',
  '  File "<frozen importlib._bootstrap>", line 241, in call',
  "JSONDecodeError: Expecting value",
];

test("frames of blocks are links to their cells, those of files to their lines", () => {
  const executions = new Executions();
  executions.begin("python");
  const earlier = executions.begin("python");
  executions.begin("shell");
  const latest = executions.begin("python");
  expect(linked(TRACEBACK, executions)).toEqual([
    TRACEBACK[0],
    `  Cell In[${latest}], line 2, in <module>`,
    TRACEBACK[2],
    `  Cell In[${earlier}], line 3, in f`,
    TRACEBACK[4],
    "  File /usr/lib/python3/json/decoder.py:355, in raw_decode",
    TRACEBACK[6],
    TRACEBACK[7],
  ]);
});

test("frames of blocks that are not shown stay as they are", () => {
  expect(linked(TRACEBACK)[1]).toBe(TRACEBACK[1]);
});
