// What BullMQ does on a Redis: adds, bulk adds, work at concurrency 64, and how soon a job starts when all is idle.
//
// node bullmq.cjs PORT JOBS; FAIRY_BENCH_BULLMQ is a directory whose node_modules has it. Prints a name and a figure a line.
const { createRequire } = require('node:module');
const { performance } = require('node:perf_hooks');
const path = require('node:path');
const { Queue, Worker } = createRequire(path.join(process.env.FAIRY_BENCH_BULLMQ, 'any.js'))('bullmq');

const [port, jobs] = process.argv.slice(2).map(Number);
const connection = { host: '127.0.0.1', port };
const payload = { p: 'x'.repeat(240) };
const options = { removeOnComplete: true, removeOnFail: true };
const print = (name, figure) => console.log(`${name} ${figure.toFixed(3)}`);
const rate = (name, count, begun) => print(name, count / ((performance.now() - begun) / 1000));

async function push(queue) {
  const begun = performance.now();
  const adder = async () => {
    for (let n = 0; n < jobs / 64; n++) await queue.add('job', payload, options);
  };
  await Promise.all(Array.from({ length: 64 }, adder));
  rate('push', jobs, begun);
}

async function bulk(queue) {
  const begun = performance.now();
  for (let n = 0; n < jobs; n += 1000) {
    await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: 'job', data: payload, opts: options })));
  }
  rate('bulk', Math.ceil(jobs / 1000) * 1000, begun);
}

async function work(queue) {
  const { waiting, prioritized = 0 } = await queue.getJobCounts();
  const count = waiting + prioritized;
  let left = count;
  const begun = performance.now();
  let worker;
  await new Promise((resolve) => {
    worker = new Worker(queue.name, async () => {}, { connection, concurrency: 64 });
    worker.on('completed', () => --left === 0 && resolve());
  });
  rate('work', count, begun);
  await worker.close();
}

async function idle(queue) {
  let started;
  const worker = new Worker(queue.name, async () => started(performance.now()), { connection, concurrency: 64 });
  await worker.waitUntilReady();
  const times = [];
  for (let n = 0; n < 320; n++) {
    const done = new Promise((resolve) => worker.once('completed', resolve));
    const start = new Promise((resolve) => (started = resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const begun = performance.now();
    await queue.add('job', payload, options);
    times.push((await start) - begun);
    await done;
  }
  // The first ones meet code that is not compiled yet.
  const sorted = times.slice(20).sort((a, b) => a - b);
  print('start', sorted[150]);
  print('start p99', sorted[297]);
  await worker.close();
}

async function main() {
  const queue = new Queue('bench', { connection });
  await push(queue);
  await work(queue);
  await bulk(queue);
  await queue.obliterate({ force: true });
  await idle(queue);
  await queue.close();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
