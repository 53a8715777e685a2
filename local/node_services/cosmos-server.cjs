// A Cosmos DB server in memory, over HTTPS on 127.0.0.1. Usage: node cosmos-server.cjs [PORT]
// Without a port, or with 0, any free one. Prints {"port": N} on one line when it is ready.
"use strict";

// Cosmos DB's own limit, and its sub-status for "the database or container does not exist".
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
const OWNER_RESOURCE_NOT_FOUND = "1003";

const answer = (response, status, code) => {
  response.statusCode = status;
  return { code, message: code };
};

// @vercel/cosmosdb-server 1.0.1 fails with 500 where Cosmos DB says 404 (a read of a missing
// document, anything in a missing container), and takes documents of any size. Its handlers are
// replaced in the module cache before its router picks them up.
const completed = (operation, handler) => async (account, request, response, names) => {
  const collection = account.database(names.dbId).collection(names.collId);
  if (!collection.read()) {
    response.setHeader("x-ms-substatus", OWNER_RESOURCE_NOT_FOUND);
    return answer(response, 404, "NotFound");
  }
  if (Number(request.headers["content-length"]) > MAX_DOCUMENT_BYTES) {
    request.resume();
    return answer(response, 413, "RequestEntityTooLarge");
  }
  // The partition key is the id: that is how this application's container is made.
  if (operation === "read" && !collection.document(names.docId, names.docId).read()) {
    return answer(response, 404, "NotFound");
  }
  return handler(account, request, response, names);
};

for (const operation of ["create", "delete", "read", "replace", "upsert"]) {
  const module = require(`@vercel/cosmosdb-server/lib/handler/${operation}-document`);
  module.default = completed(operation, module.default);
}

const { createHttpsServer } = require("@vercel/cosmosdb-server");

const server = createHttpsServer({ keepAlive: true });
// Node closes idle connections after 5 s by default; a client that is just about to use one
// would see its request dropped.
server.keepAliveTimeout = 120_000;
server.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
