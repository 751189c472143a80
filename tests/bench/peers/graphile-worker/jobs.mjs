// SPDX-License-Identifier: MIT
// Runs no-op jobs as fast as it can, tuned as its documentation says for throughput, and says how fast.
//
//   node jobs.mjs URL COUNT        {"rate": jobs a second of COUNT that wait, "latency": [ms from before the enqueue to the start, of 200 one by one]}
import { EventEmitter, once } from "node:events";
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const [url, count] = [process.argv[2], Number(process.argv[3])];
const quiet = new Logger(() => () => {});
const progress = new EventEmitter();
let left = count;

const tasks = {
  noop: () => {
    if (--left === 0) progress.emit("done");
  },
  timed: ({ sent }) => {
    progress.emit("started", Date.now() - sent, performance.now());
  },
};
const worker = {
  connectionString: url,
  concurrentJobs: 24,
  maxPoolSize: 26,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

const utils = await makeWorkerUtils({ connectionString: url, logger: quiet });
await utils.migrate();
for (let at = 0; at < count; at += 5000)
  await utils.addJobs(Array.from({ length: Math.min(5000, count - at) }, () => ({ identifier: "noop", payload: {} })));

const begin = performance.now();
const runner = await run({ preset: { worker }, logger: quiet, noHandleSignals: true, taskList: tasks });
await once(progress, "done");
const rate = count / ((performance.now() - begin) / 1000);
await runner.stop();

// One by one, each in a quiet moment, by the notification; without the local queue, which fetches ahead and so is not about latency.
const single = await run({ preset: { worker: { connectionString: url, concurrentJobs: 24 } }, logger: quiet, noHandleSignals: true, taskList: tasks });
const latency = [];
for (let i = 0; i < 220; i++) {
  const started = once(progress, "started");
  const sent = performance.now();
  await utils.addJob("timed", { sent: Date.now() });
  const [, at] = await started;
  if (i >= 20) latency.push(at - sent);
}
await single.stop();
await utils.release();
console.log(JSON.stringify({ rate, latency }));
process.exit(0);
