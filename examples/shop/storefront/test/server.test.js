import assert from "node:assert/strict";
import test from "node:test";

const installed = await import("express").then(() => true, () => false);
const skip = installed ? false : "the front end's own dependencies are not installed (npm ci)";

async function answer(checkout, path) {
  const { createApp } = await import("../server.js");
  const server = createApp(checkout).listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  try {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`);
    return { status: response.status, text: await response.text() };
  } finally {
    server.close();
  }
}

test("the shelf is shown and titles are escaped", { skip }, async () => {
  const products = [{ sku: "x", title: "<b>Mug", price: 1250, shown: "€12.50", stock: 3 }];
  const { status, text } = await answer({ catalogue: async () => products }, "/");
  assert.equal(status, 200);
  assert.match(text, /&lt;b&gt;Mug/);
  assert.match(text, /only 3 left/);
});

test("a silent checkout service closes the shop politely", { skip }, async () => {
  const { status, text } = await answer({ catalogue: async () => { throw new Error("gone"); } }, "/");
  assert.equal(status, 502);
  assert.match(text, /counting the mugs/);
});
