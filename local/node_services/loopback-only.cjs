// Preloaded into every local service. They are for the developer who started them, so they listen
// on 127.0.0.1 whatever they were written to listen on, and answer no request for another name
// (DNS rebinding) or from a web page of another machine.
"use strict";

const http = require("node:http");
const https = require("node:https");
const net = require("node:net");

const NAME = "(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?";
const HOST = new RegExp(`^${NAME}$`, "i");
const ORIGIN = new RegExp(`^https?://${NAME}$`, "i");
const SENTENCE = "Only programs and pages of this machine are answered, and only as localhost.\n";

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const [first] = given;
  const isPort = first === undefined || first === null || /^\d+$/.test(first);
  if (isPort || typeof first === "function") {
    const port = isPort ? Number(first ?? 0) : 0;
    const callback = given.find((argument) => typeof argument === "function");
    return listen.call(this, { port, host: "127.0.0.1" }, callback);
  }
  if (first.port !== undefined) {
    return listen.call(this, { ...first, host: "127.0.0.1" }, ...given.slice(1));
  }
  return listen.apply(this, given); // a pipe, or what another process listens on
};

const isLocal = ({ url, headers, rawHeaders }) => {
  const values = (name) =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1].toLowerCase() === name);
  return (
    url.startsWith("/") &&
    headers.host !== undefined &&
    values("host").every((host) => HOST.test(host)) &&
    values("origin").every((origin) => ORIGIN.test(origin))
  );
};

const refusals = {
  request: (_, response) => {
    response.writeHead(403, { "Content-Type": "text/plain", Connection: "close" });
    response.end(SENTENCE);
  },
  upgrade: (_, socket) =>
    socket.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n${SENTENCE}`),
};
refusals.checkContinue = refusals.checkExpectation = refusals.request;
refusals.connect = refusals.upgrade;

for (const { prototype } of [http.Server, https.Server]) {
  const { emit } = prototype;
  prototype.emit = function (event, ...given) {
    if (event in refusals && !isLocal(given[0])) {
      refusals[event](...given);
      return true;
    }
    return emit.call(this, event, ...given);
  };
}
