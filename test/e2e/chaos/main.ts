/**
 * `npm run chaos -- --minutes 10 --validators 7 --seed 1`: real processes that are killed, paused and cut off
 * at random while load runs. Also --block-time (ms), --recovery (seconds allowed), --keep (leave the homes).
 * A failure leaves them too. Exit code 1 when something did not hold.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { percentile } from '../../bench/percentile.ts';
import { temporaryHome } from '../program.ts';
import { type ChaosReport, runChaos } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    validators: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'block-time': { type: 'string', default: '500' },
    recovery: { type: 'string', default: '20' },
    keep: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const home = temporaryHome();
const again = `npm run chaos -- --minutes ${values.minutes} --validators ${values.validators} --seed ${values.seed} --block-time ${values['block-time']}`;
say(`seed ${values.seed}; the same sequence again: ${again}`);

const report = await runChaos({
  home,
  validators: Number(values.validators),
  seed: Number(values.seed),
  durationMs: 60_000 * Number(values.minutes),
  perturbationsMax: Number.POSITIVE_INFINITY,
  blockTimeMs: Number(values['block-time']),
  actionMsMax: 8_000,
  calmMsMax: 2_000,
  recoveryMsMax: 1_000 * Number(values.recovery),
  note: say,
});
summarize(report);
if (report.violations.length > 0) {
  say(`FAILED: homes and logs are in ${home}; the same sequence again: ${again}`);
  process.exitCode = 1;
} else if (values.keep) say(`homes: ${home}`);
else rmSync(home, { recursive: true, force: true });

function summarize({
  perturbations,
  recoveriesMs,
  height,
  txs,
  signedMessages,
  violations,
}: ChaosReport): void {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  say(
    `${perturbations} perturbations; recovery: median ${seconds(percentile(recoveriesMs, 0.5))} s, ` +
      `90 % within ${seconds(percentile(recoveriesMs, 0.9))} s, longest ${seconds(Math.max(...recoveriesMs))} s`,
  );
  say(
    `${height} blocks with ${txs} transactions, equal on all nodes at every height: ${violations.length === 0}; ` +
      `${signedMessages} signed messages in the logs`,
  );
  for (const violation of violations) say(`VIOLATED: ${violation}`);
}
