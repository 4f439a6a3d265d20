// Notices when the machine itself stands still: its processor, or the disk that a write waits for. Appends a line to FILE for each
// time, {"fromMs", "toMs"} of the wall clock, so that what nobody on it could have scraped then is not held against the fleet.
//   FILE: where to write
import { closeSync, openSync, writeSync } from 'node:fs';

/** Between two writes, as a scraper appends to its log. */
const everyMs = 200;
/** Half the interval at which the fleet under test scrapes. */
const noticedMs = 1000;

const { FILE } = process.env;
const found = openSync(FILE, 'a');
const beaten = openSync(`${FILE}.beat`, 'w');
let lastMs = Date.now();
const timer = setInterval(() => {
  writeSync(beaten, `${lastMs}\n`);
  const nowMs = Date.now();
  if (nowMs - lastMs >= noticedMs) writeSync(found, `${JSON.stringify({ fromMs: lastMs, toMs: nowMs })}\n`);
  lastMs = nowMs;
}, everyMs);
process.on('SIGTERM', () => {
  clearInterval(timer);
  closeSync(beaten);
  closeSync(found);
});
