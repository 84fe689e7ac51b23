/** What the model and its server do. */

import { expect } from "vitest";
import { drive, editor, model } from "../driven";
import { refusal, thinking, words } from "../model";

drive("thinking is shown, then folded, and is in no file", async () => {
  const thoughts =
    "**Dividing**\n\nFirst I divide 34 by 24, which is 17 by 12. That is 1 and 5 by 12, so </details> the quotient" +
    " is a little more than 1.4.\n\n```python\nprint(34 / 24)\n```\n\nThen I round it to two places.";
  model.replies(thinking(thoughts, words("It is **about 1.42**."), 200));
  await editor.chat("What's 34/24?");
  await editor.status.getByText("thinking").waitFor();
  await editor.rendered("First I divide").waitFor();
  await editor.shot("thinking");
  await editor.rendered("about 1.42").waitFor();
  await editor.idle();
  await editor.rendered("Then I round it").waitFor({ state: "hidden" });
  await editor.shot("thought");
  await editor.rendered(/^thought for \d+ s$/).click();
  await editor.rendered("Then I round it").waitFor();
  await editor.shot("thinking-open");
  expect(await editor.save("Export to Markdown...", "What's 34 24?.md")).toBe(
    "> What's 34/24?\n\nIt is **about 1.42**.\n",
  );
});

drive("a wrong key is told once, under the question, which is asked again with a new one", async () => {
  model.replies(refusal(401));
  await editor.chat("Hello?");
  await editor.rendered("refused the key").waitFor();
  expect(await editor.page.locator(".notification-toast").count()).toBe(0);
  await editor.shot("wrong-key");
  await editor.button("Set API Key").click();
  await editor.answer("sk-fresh");
  model.replies(words("Hello to you."));
  await editor.button("Retry").click();
  await editor.rendered("Hello to you.").waitFor();
  await editor.rendered("Hello?").waitFor();
  await editor.rendered("refused the key").waitFor({ state: "detached" });
  expect(model.requests.at(-1)?.key).toBe("sk-fresh");
});

drive("a model that is chosen answers, and the status bar names it", async () => {
  await editor.palette("Open Interpreter: Choose Model...");
  await editor.pick("gpt-4o-mini");
  model.replies(words("Small as I am."));
  await editor.chat("Who are you?");
  await editor.rendered("Small as I am.").waitFor();
  await editor.idle();
  expect(model.requests.at(-1)?.body.model).toBe("gpt-4o-mini");
  await editor.status.getByText("gpt-4o-mini").waitFor();
  await editor.palette("Open Interpreter: Choose Model...");
  await editor.pick("gpt-4.1");
  await editor.status.getByText("gpt-4o-mini").waitFor({ state: "hidden" });
});
