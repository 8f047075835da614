/**
 * Lies about epochs: `node test/settlement/epochs/main.ts --epochs 1000 --lies 25 --mutations 1000 --seed 1`. Exit
 * code 1 when one is not convicted, or something honest is.
 */
import { randomFrom } from '../../attribution/fidelity/digits.ts';
import { ProgramOptions } from '../../support/program-options.ts';
import { runCampaign } from './campaign.ts';
import { Dice } from './dice.ts';
import { POLICIES, runWithholding } from './withholding.ts';

const options = new ProgramOptions({
  command: 'npm run soundness:epochs',
  purpose:
    'every lie about an epoch is convicted by one message or refused at once, no honest epoch is convicted.',
});
const epochs = options.number('epochs', { fallback: 1_000, least: 1, help: 'honest epochs' });
const lies = options.number('lies', { fallback: 10, least: 0, help: 'told about each' });
const mutations = options.number('mutations', {
  fallback: 100,
  least: 0,
  help: 'changed proofs against each',
});
const withheld = options.number('withheld', {
  fallback: 50,
  least: 0,
  help: 'epochs of gateways that withhold, each under every policy',
});
const seed = options.number('seed', { fallback: 1, help: 'what epochs and lies are made from' });
options.end();

const dice = new Dice(randomFrom(seed));
const result = runCampaign({ epochs, lies, mutations, dice, now: () => performance.now() });
let told = 0;
for (const tally of result.tallies) {
  told += tally.told;
  process.stdout.write(
    [
      tally.name.padEnd(40),
      `${tally.told} told`,
      `${tally.convicted} convicted`,
      `${tally.refused} refused at once`,
      `${tally.bytes} B most`,
      [...tally.rules].sort().join(' '),
    ].join(' | ') + '\n',
  );
}
const { missed, honestConvicted, accused, mutated } = result;
process.stdout.write(
  `${told} lies, ${missed.length} not found out ${[...new Set(missed)].join(', ')}; ${epochs} honest epochs: ` +
    `${accused} true openings and ${mutated} changed proofs against them, ` +
    `${honestConvicted.length} convicted ${[...new Set(honestConvicted)].join(', ')}\n`,
);
const withholding = await runWithholding({ epochs: withheld, policies: POLICIES.length, dice });
for (const { policy, honest, wrong, requests } of withholding.tallies)
  process.stdout.write(
    [
      policy.padEnd(60),
      `honest: ${honest.final} final, ${honest.silence} silent, ${honest.fraud} convicted`,
      `wrong: ${wrong.fraud} by fraud, ${wrong.silence} by silence, ${wrong.final} final`,
      `${requests} requests most`,
    ].join(' | ') + '\n',
  );
const { failures } = withholding;
process.stdout.write(
  `${failures.length} epochs of gateways that withhold ended wrongly ${[...new Set(failures)].join('; ')}\n`,
);
if (missed.length + honestConvicted.length + failures.length > 0) process.exitCode = 1;
