// Plays a script of calls (on stdin) through opossum on a virtual clock; see record_opossum.py.
'use strict';
const fs = require('fs');
const realImmediate = setImmediate;

let now = 0;
let sequence = 0;
let queue = [];
Date.now = () => now;
globalThis.setTimeout = (run, after) => {
  const timer = { at: now + after, order: sequence++, run, every: 0, live: true };
  queue.push(timer);
  return timer;
};
globalThis.setInterval = (run, every) => {
  const timer = { at: now + every, order: sequence++, run, every, live: true };
  queue.push(timer);
  return timer;
};
globalThis.clearTimeout = globalThis.clearInterval = timer => { if (timer) timer.live = false; };

const settled = () => new Promise(resolve => realImmediate(resolve));

async function runUntil (end) {
  for (;;) {
    queue = queue.filter(timer => timer.live);
    let first = null;
    for (const timer of queue) {
      if (timer.at <= end && (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))) {
        first = timer;
      }
    }
    if (!first) break;
    now = first.at;
    if (first.every) {
      first.at += first.every;
      first.order = sequence++;
    } else {
      first.live = false;
    }
    first.run();
    if (!first.every) await settled();
  }
  now = end;
}

const CircuitBreaker = require(process.argv[2] + '/node_modules/opossum');
const script = JSON.parse(fs.readFileSync(0, 'utf8'));
const lines = [];
const stateOf = breaker => breaker.opened ? 'open' : breaker.halfOpen ? 'half_open' : 'closed';

async function main () {
  let block = -1;
  let breaker = null;
  for (const [number, start, outcome, latency] of script.calls) {
    if (number !== block) {
      if (breaker) {
        await runUntil(now + 3600000);
        breaker.shutdown();
      }
      block = number;
      now = 0;
      queue = [];
      const action = (how, takes) => {
        action.sent = true;
        return new Promise((resolve, reject) => setTimeout(
          () => how === 'ok' ? resolve() : reject(new Error(how)), takes));
      };
      breaker = new CircuitBreaker(action, {
        ...script.settings[block % script.settings.length],
        errorFilter: error => error.message === 'filtered',
        enableSnapshots: false,
        rollingPercentilesEnabled: false
      });
      breaker.sent = () => { const was = action.sent; action.sent = false; return was; };
    }
    await runUntil(start);
    const mine = breaker;
    const promise = mine.fire(outcome, latency);
    const sent = mine.sent();
    lines.push(`${sent ? 'sent' : 'rejected'} ${stateOf(mine)}`);
    const end = sent ? () => lines.push(`ended ${stateOf(mine)}`) : () => {};
    promise.then(end, end);
    await settled();
  }
  await runUntil(now + 3600000);
  process.stdout.write(lines.join('\n') + '\n');
}

main();
