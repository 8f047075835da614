/**
 * `npm run chaos -- --minutes 10 --validators 7 --seed 1`: real processes that are killed, paused and cut off
 * at random while load runs. Also --block-time (ms), --action (the longest fault, in seconds), --recovery
 * (seconds allowed, from the heal; with --from-answer from when the RPC of every node that was started again
 * answers), --keep (leave the homes). A failure leaves them too. Exit code 1 when something did not hold.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { temporaryHome } from '../program.ts';
import { summaryOf } from './report.ts';
import { runChaos } from './run.ts';

const SNAPSHOT_INTERVAL = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    validators: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'block-time': { type: 'string', default: '500' },
    action: { type: 'string', default: '25' },
    recovery: { type: 'string', default: '20' },
    'from-answer': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const home = temporaryHome();
const again = `npm run chaos -- --minutes ${values.minutes} --validators ${values.validators} --seed ${values.seed} --block-time ${values['block-time']} --action ${values.action}`;
say(`seed ${values.seed}; the same sequence again: ${again}`);

const report = await runChaos({
  home,
  validators: Number(values.validators),
  seed: Number(values.seed),
  durationMs: 60_000 * Number(values.minutes),
  perturbationsMax: Number.POSITIVE_INFINITY,
  blockTimeMs: Number(values['block-time']),
  snapshotInterval: SNAPSHOT_INTERVAL,
  actionMsMax: 1_000 * Number(values.action),
  calmMsMax: 2_000,
  recoveryMsMax: 1_000 * Number(values.recovery),
  recoveryFrom: values['from-answer'] ? 'answer' : 'heal',
  joinAfter: { 'block sync': 2, 'state sync': 5 },
  note: say,
});
for (const line of summaryOf(report)) say(line);
if (report.violations.length > 0) {
  say(`FAILED: homes and logs are in ${home}; the same sequence again: ${again}`);
  process.exitCode = 1;
} else if (values.keep) say(`homes: ${home}`);
else rmSync(home, { recursive: true, force: true });
