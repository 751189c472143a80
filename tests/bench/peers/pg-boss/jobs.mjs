// SPDX-License-Identifier: MIT
// Runs no-op jobs as fast as it can: by loops that fetch and complete a thousand at a time, which waits for no polling interval.
//
//   node jobs.mjs URL COUNT        {"rate": jobs a second of COUNT that wait}
import PgBoss from "pg-boss";

const [url, count] = [process.argv[2], Number(process.argv[3])];
const [loops, batchSize] = [4, 1000];
const noop = () => {};

const boss = new PgBoss({ connectionString: url, max: loops + 2, supervise: false, schedule: false });
await boss.start();
await boss.createQueue("noop");
for (let at = 0; at < count; at += 5000) await boss.insert(Array.from({ length: Math.min(5000, count - at) }, () => ({ name: "noop", data: {} })));

let done = 0;
async function work() {
  while (done < count) {
    const jobs = await boss.fetch("noop", { batchSize });
    for (const job of jobs) noop(job);
    if (jobs.length > 0)
      await boss.complete(
        "noop",
        jobs.map((job) => job.id),
      );
    done += jobs.length;
  }
}

const begin = performance.now();
await Promise.all(Array.from({ length: loops }, work));
console.log(JSON.stringify({ rate: count / ((performance.now() - begin) / 1000) }));
await boss.stop({ graceful: false });
process.exit(0);
