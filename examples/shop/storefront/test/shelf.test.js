import assert from "node:assert/strict";
import test from "node:test";

import { shelf } from "../lib/shelf.js";

const PRODUCTS = [
  { sku: "pot", title: "Pot", price: 5900, stock: 5 },
  { sku: "mug", title: "Mug", price: 1250, stock: 0 },
  { sku: "tea", title: "Assam", price: 890, stock: 75 },
];

test("what is sold out stands last", () => {
  assert.deepEqual(shelf(PRODUCTS).map((p) => p.sku), ["tea", "pot", "mug"]);
});

test("the shelf can be sorted by price", () => {
  assert.deepEqual(shelf(PRODUCTS, "price").map((p) => p.sku), ["tea", "pot", "mug"]);
});

test("an unknown order is the usual one", () => {
  assert.deepEqual(shelf(PRODUCTS, "__proto__"), shelf(PRODUCTS, "name"));
});

test("few left is said only while there are some", () => {
  assert.deepEqual(shelf(PRODUCTS).map((p) => p.few), [false, true, false]);
});
