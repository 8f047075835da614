/**
 * `npm run truth`: quotations of speeches planted in other speeches, some words edited, and who a trace names
 * for them. `--outputs` of each row, `--speeches` (all if not said), `--seed`.
 */
import { ProgramOptions } from '../../support/program-options.ts';
import { countsAgree, prepare } from './experiment.ts';
import { allSpeeches, splitSpeeches } from './speeches.ts';
import { leastTable, paraphraseTable, plantedTable } from './tables.ts';

const HELD_OUT_EACH = 7;

const options = new ProgramOptions({
  command: 'npm run truth',
  purpose: 'planted quotations of speeches, edited, and whom a trace names for them.',
});
const outputs = options.number('outputs', { fallback: 200, least: 1, help: 'of each row' });
const patterns = options.number('patterns', { fallback: 400, least: 1, help: 'whose counts are compared' });
const speeches = options.number('speeches', { fallback: 1_000, least: 14, help: 'the first so many' });
const seed = options.number('seed', { fallback: 1, help: 'of everything random' });
options.end();

const split = splitSpeeches(allSpeeches().slice(0, speeches), HELD_OUT_EACH);
const material = prepare(split);
const { tokens, documents } = material.corpus;
process.stdout.write(
  `${documents} speeches indexed (${tokens} tokens), ${split.heldOut.length} held out; ${outputs} outputs a row, seed ${seed}\n\n`,
);
const { agree, present } = countsAgree(material, { outputs: patterns, seed });
process.stdout.write(
  `counts: ${agree} of ${patterns} equal a search everywhere (${present} patterns occur)\n\n`,
);
process.stdout.write(`${plantedTable(material, { outputs, seed })}\n`);
process.stdout.write(`${leastTable(material, { outputs, seed })}\n`);
process.stdout.write(paraphraseTable(material, { outputs, seed }));
if (agree !== patterns) process.exitCode = 1;
