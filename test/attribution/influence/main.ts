/**
 * Lies about model cards and claims of influence: `node test/attribution/influence/main.ts --lies 4000 --seed
 * 1`. Exit code 1 when one is not convicted, or something honest is.
 */
import { ProgramOptions } from '../../support/program-options.ts';
import { randomFrom } from '../fidelity/digits.ts';
import { runCampaign } from './campaign.ts';
import { printSizes } from './sizes.ts';

const options = new ProgramOptions({
  command: 'npm run soundness:influence',
  purpose:
    'every lie about a model card or a claim of influence is convicted by one message, nothing honest is.',
});
const lies = options.number('lies', { fallback: 4_000, least: 1, help: 'how many in all' });
const seed = options.number('seed', { fallback: 1, help: 'what heads and lies are made from' });
const sizes = options.flag(
  'sizes',
  'instead: bytes and time of every rule, on a head and an adapter of 5,000 digits',
);
options.end();

if (sizes) printSizes(randomFrom(seed));
else campaign();

function campaign(): void {
  const result = runCampaign({ lies, random: randomFrom(seed), now: () => performance.now() });
  const middle = (values: readonly number[], part: number): number =>
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))] ?? 0;
  let all = 0;
  for (const { name, told, convicted, refused, bytes, verifyUs, rules } of result.tallies) {
    all += told;
    process.stdout.write(
      [
        name.padEnd(40),
        `${told} told`,
        `${convicted} convicted`,
        `${refused} refused at once`,
        `${middle(bytes, 0.5)} B median, ${middle(bytes, 1)} B most`,
        `${middle(verifyUs, 0.5).toFixed(0)} µs median, ${middle(verifyUs, 0.99).toFixed(0)} µs p99`,
        [...rules].join(' '),
      ].join(' | ') + '\n',
    );
  }
  const { honestTried, honestConvicted, missed } = result;
  process.stdout.write(
    `${all} lies, ${missed.length} not convicted ${[...new Set(missed)].join(', ')}; ` +
      `${honestTried} messages against honest ones, ${honestConvicted.length} convicted ${[...new Set(honestConvicted)].join(', ')}\n`,
  );
  if (missed.length > 0 || honestConvicted.length > 0) process.exitCode = 1;
}
