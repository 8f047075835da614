/**
 * `npm run chaos -- --minutes 10 --validators 7 --seed 1`: real processes that are killed, paused and cut off
 * at random while load runs. `--help` lists the options. Exit code 1 when something did not hold, 2 when an
 * option is wrong.
 */
import { rmSync } from 'node:fs';
import { ProgramOptions } from '../../support/program-options.ts';
import { temporaryHome } from '../program.ts';
import { summaryOf } from './report.ts';
import { runChaos } from './run.ts';

const SNAPSHOT_INTERVAL = 20;

const options = new ProgramOptions({
  command: 'npm run chaos',
  purpose: 'real processes that are killed, paused and cut off at random while load runs.',
});
const minutes = options.number('minutes', { fallback: 2, fraction: true, help: 'how long' });
const validators = options.number('validators', { fallback: 4, least: 1, help: 'how many' });
const fallback = Date.now() % 1_000_000;
const seed = options.number('seed', { fallback, help: 'what the sequence is made from' });
const blockTimeMs = options.number('block-time', { fallback: 500, least: 1, help: 'milliseconds' });
const action = options.number('action', { fallback: 25, fraction: true, help: 'longest fault, in seconds' });
const recovery = options.number('recovery', {
  fallback: 20,
  fraction: true,
  help: 'seconds allowed, from the heal',
});
const fromAnswer = options.flag('from-answer', 'allow them from when all that started again answer');
const keep = options.flag('keep', 'leave the homes; a failure leaves them too');
options.end();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const home = temporaryHome();
const again = `npm run chaos -- --minutes ${minutes} --validators ${validators} --seed ${seed} --block-time ${blockTimeMs} --action ${action}`;
say(`seed ${seed}; the same sequence again: ${again}`);

const report = await runChaos({
  home,
  validators,
  seed,
  durationMs: 60_000 * minutes,
  perturbationsMax: Number.POSITIVE_INFINITY,
  blockTimeMs,
  snapshotInterval: SNAPSHOT_INTERVAL,
  actionMsMax: 1_000 * action,
  calmMsMax: 2_000,
  recoveryMsMax: 1_000 * recovery,
  recoveryFrom: fromAnswer ? 'answer' : 'heal',
  joinAfter: { 'block sync': 2, 'state sync': 5 },
  note: say,
});
for (const line of summaryOf(report)) say(line);
if (report.violations.length > 0) {
  say(`FAILED: homes and logs are in ${home}; the same sequence again: ${again}`);
  process.exitCode = 1;
} else if (keep) say(`homes: ${home}`);
else rmSync(home, { recursive: true, force: true });
