// Preloaded into every local service: whoever started it holds the other end of its standard
// input, so a starter that dies by SIGKILL takes its services along on every operating system.
"use strict";

process.stdin.on("end", () => process.exit());
process.stdin.on("error", () => process.exit());
process.stdin.resume();
// Listening here is no reason to go on running.
process.stdin.unref?.();
