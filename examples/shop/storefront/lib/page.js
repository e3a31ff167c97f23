// Pages from templates; Mustache escapes every value.
import { readFileSync } from "node:fs";

import Mustache from "mustache";

export function page(name, view) {
  return Mustache.render(readFileSync(new URL(`../views/${name}.mustache`, import.meta.url), "utf8"), view);
}
