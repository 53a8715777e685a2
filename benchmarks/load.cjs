// The users and their channel. Prints {"port": N}, where the channel listens, when it is ready.
// Each line on standard input is one run, answered with one line when its last turn is over:
//   port                where the bot listens
//   delay_ms            how long the channel takes for each reply
//   conversations       how many, all at once; each user waits for the answer to go on
//   seconds or turns    the length: a time, or how many turns in all
//   texts               what each user says, over and over; once each if there is no length
//   crowd               instead of all these: so many messages at once into one conversation, while
//                       the user of another one goes on
// In Node, and one process, because that is the cheapest on the CPU that all share, and because
// the first reply is timed by the clock that timed its message.
"use strict";

const http = require("node:http");
const readline = require("node:readline");
const { randomUUID } = require("node:crypto");

const REPLIES = 3;
const SILENT_MS = 20_000; // then no reply comes any more

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
const replies = new Map(); // conversation id -> times of the replies of the turn under way
let connections = 0;
let delayMs = 0;
// People write seconds apart: each message changes the time that the bot remembers.
let sentAtMs = Date.now();

const now = () => performance.timeOrigin + performance.now();

const channel = http.createServer((request, response) => {
  const at = now();
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const conversationId = decodeURIComponent(request.url.split("/")[3]);
    if (JSON.parse(Buffer.concat(chunks)).type === "message") replies.get(conversationId)?.push(at);
    setTimeout(() => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ id: randomUUID() }));
    }, delayMs);
  });
});
channel.keepAliveTimeout = 120_000;
channel.on("connection", () => (connections += 1));

const activity = (number, text) => {
  sentAtMs += 1000;
  const at = new Date(sentAtMs).toISOString();
  return JSON.stringify({
    type: "message",
    id: randomUUID(),
    timestamp: at,
    localTimestamp: at,
    localTimezone: "Europe/Berlin",
    serviceUrl: `http://127.0.0.1:${channel.address().port}`,
    channelId: "directline",
    from: { id: `user-${number}`, name: "Ada", role: "user" },
    conversation: { id: `conversation-${number}` },
    recipient: { id: "bot", name: "Bot", role: "bot" },
    textFormat: "plain",
    locale: "en-US",
    text,
    entities: [{ type: "ClientCapabilities", supportsListening: true, supportsTts: true }],
    channelData: { clientActivityID: randomUUID() },
  });
};

const post = (port, body) =>
  new Promise((resolve, reject) => {
    const request = http.request({
      agent,
      host: "127.0.0.1",
      port,
      path: "/api/messages",
      method: "POST",
      headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      response.on("error", reject);
      response.on("end", () => resolve(response.statusCode));
      response.resume();
    });
    request.end(body);
  });

const isTaken = (status) => status >= 200 && status < 300;

const crowd = async ({ port, delay_ms, crowd: count, texts }) => {
  delayMs = delay_ms;
  const [text] = texts;
  const outcome = { turns: count, failed: 0, other_ms: [], other_failed: 0 };
  const arrived = [];
  replies.set("conversation-0", arrived);
  const start = now();
  let isOver = false;

  const converse = async () => {
    while (!isOver) {
      replies.set("conversation-1", []);
      const sent = now();
      const status = await post(port, activity(1, text)).catch(() => 0);
      outcome.other_ms.push(now() - sent);
      outcome.turns += 1;
      if (!isTaken(status)) outcome.other_failed += 1;
    }
  };
  const other = converse();
  const messages = Array.from({ length: count }, () => post(port, activity(0, text)).catch(() => 0));
  const refused = (await Promise.all(messages)).filter((status) => !isTaken(status)).length;
  // What is accepted is said when its turn comes.
  while (arrived.length < count * REPLIES && now() - (arrived.at(-1) ?? start) < SILENT_MS)
    await new Promise((resolve) => setTimeout(resolve, 10));
  outcome.failed = Math.max(refused, count - Math.floor(arrived.length / REPLIES));
  outcome.message_ms = ((arrived.at(-1) ?? now()) - start) / count;
  isOver = true;
  await other;
  return outcome;
};

const run = async ({ port, delay_ms, conversations, seconds, turns, texts }) => {
  delayMs = delay_ms;
  connections = 0;
  const outcome = { turns: 0, failed: 0, latencies_ms: [], first_replies_ms: [] };
  const start = now();
  let left = turns ?? Infinity;
  const script = seconds || turns ? null : texts.length;

  const converse = async (number) => {
    const id = `conversation-${number}`;
    for (let said = 0; script === null || said < script; said += 1) {
      if (seconds && now() - start > seconds * 1000) return;
      if (left-- <= 0) return;
      const arrived = [];
      replies.set(id, arrived);
      const sent = now();
      const status = await post(port, activity(number, texts[said % texts.length])).catch(() => 0);
      outcome.latencies_ms.push(now() - sent);
      outcome.turns += 1;
      const whole = isTaken(status) && arrived.length > 0;
      if (!whole || (script === null && arrived.length !== REPLIES)) outcome.failed += 1;
      if (arrived.length > 0) {
        outcome.first_replies_ms.push(arrived[0] - sent);
        outcome.first_reply_at_s ??= arrived[0] / 1000;
      }
    }
  };

  await Promise.all(Array.from({ length: conversations }, (_, number) => converse(number)));
  return { ...outcome, seconds: (now() - start) / 1000, connections };
};

readline
  .createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const how = JSON.parse(line);
    console.log(JSON.stringify(await (how.crowd ? crowd : run)(how)));
  })
  .on("close", () => process.exit());

channel.listen(0, "127.0.0.1", () => console.log(JSON.stringify(channel.address())));
