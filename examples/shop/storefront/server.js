// The front end's server: `node server.js --port 8080 --checkout http://127.0.0.1:8000`.
import express from "express";
import minimist from "minimist";

import { checkoutAt } from "./lib/checkout.js";
import { shelf } from "./lib/shelf.js";
import { page } from "./lib/page.js";

export function createApp(checkout) {
  const app = express();
  app.disable("x-powered-by");
  app.use("/public", express.static(new URL("./public", import.meta.url).pathname));
  app.get("/healthz", (request, response) => response.json({ status: "ok" }));
  app.get("/", async (request, response) => {
    const products = await checkout.catalogue();
    response.type("html").send(page("index", { products: shelf(products, request.query.sort) }));
  });
  app.use((error, request, response, next) => {
    console.error(error.message);
    response.status(502).type("html").send(page("closed", {}));
  });
  return app;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const options = minimist(process.argv.slice(2), {
    string: ["checkout", "host"],
    default: { port: 8080, host: "127.0.0.1", checkout: "http://127.0.0.1:8000" },
  });
  createApp(checkoutAt(options.checkout)).listen(options.port, options.host, () =>
    console.log(`shop open at http://${options.host}:${options.port}`),
  );
}
