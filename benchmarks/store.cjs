// The Cosmos DB server with a meter and a delay in front, outside the measured process.
// A line {"delay_ms": N} on standard input is answered with the counts since the line before it:
// reads and writes of documents, other requests, and how often the store went from idle to busy.
"use strict";

const https = require("node:https");
const readline = require("node:readline");

const DOCUMENTS = /^\/dbs\/[^/]+\/colls\/[^/]+\/docs/;
const zero = () => ({ reads: 0, writes: 0, others: 0, trips: 0 });

let counts = zero();
let delayMs = 0;
let underWay = 0;

const count = (request, response) => {
  const kind = !DOCUMENTS.test(request.url)
    ? "others"
    : request.method === "GET"
      ? "reads"
      : "writes";
  counts[kind] += 1;
  counts.trips += underWay === 0 ? 1 : 0;
  underWay += 1;
  response.once("close", () => (underWay -= 1));
};

const emit = https.Server.prototype.emit;
https.Server.prototype.emit = function (event, ...values) {
  if (event !== "request") return emit.call(this, event, ...values);
  count(...values);
  if (delayMs === 0) return emit.call(this, event, ...values);
  setTimeout(() => emit.call(this, event, ...values), delayMs);
  return true;
};

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    ({ delay_ms: delayMs } = JSON.parse(line));
    console.log(JSON.stringify(counts));
    counts = zero();
  })
  .on("close", () => process.exit());

// Prints the port.
require("../local/node_services/cosmos-server.cjs");
