/**
 * Attacks the proofs of shards: `npm run soundness -- --proofs 1000000 --corruptions 10000 --seed 1`. Changed
 * proofs of true statements, none of which may be accepted unless it is the proof of another true one (what a
 * change left as it was is not counted);
 * wrong shards, each of which one proof has to convict; right ones, which none may. Exit code 1 on a failure.
 */
import { Random } from '../fuzz/random.ts';
import { ProgramOptions } from '../support/program-options.ts';
import { accuseRight, type Conviction, convictOne, convictRoot, isUnanswerable } from './frauds.ts';
import { type HonestProof, honestProof, judge, MUTATIONS, type Outcome } from './proofs.ts';
import { shardCase } from './shards.ts';

const SHARDS_AT_ONCE = 8;
const PROOFS_OF_SHARD = 6;
const MUTANTS_OF_PROOF = 60;
const CORRUPTIONS_OF_SHARD = 50;

const options = new ProgramOptions({
  command: 'npm run soundness',
  purpose: 'forged proofs of shards are refused, wrong shards convicted, right ones not.',
});
const proofs = options.number('proofs', { fallback: 100_000, help: 'how many changed proofs' });
const corruptions = options.number('corruptions', { fallback: 1_000, help: 'how many wrong shards' });
const seed = options.number('seed', { fallback: 1, help: 'what everything is made from' });
options.end();

const random = new Random(seed);
const failures: string[] = [];

function row(cells: readonly (string | number)[]): void {
  const [first = '', ...rest] = cells.map(String);
  process.stdout.write(`${first.padEnd(48)}${rest.map((cell) => cell.padStart(11)).join('')}\n`);
}

/** Changes proofs until there are enough; counts what became of them. */
function attackProofs(): void {
  const counts = new Map<string, Map<Outcome, number>>();
  let honest = 0;
  for (let made = 0; made < proofs; ) {
    const cases = Array.from({ length: SHARDS_AT_ONCE }, () => shardCase(random));
    const all = cases.flatMap((from) =>
      Array.from({ length: PROOFS_OF_SHARD }, (): HonestProof => honestProof(from, random)),
    );
    honest += all.length;
    for (const proof of all)
      for (let i = 0; i < MUTANTS_OF_PROOF && made < proofs; i++)
        if (attackOne(proof, all, counts) !== 'same') made++;
  }
  const outcomes: readonly Outcome[] = ['refused', 'true', 'same', 'FORGED'];
  row(['changed proofs', ...outcomes]);
  for (const [name, of] of [...counts].sort())
    row([name, ...outcomes.map((outcome) => of.get(outcome) ?? 0)]);
  row(['honest proofs, all accepted', honest]);
}

function attackOne(
  proof: HonestProof,
  all: readonly HonestProof[],
  counts: Map<string, Map<Outcome, number>>,
): Outcome {
  const names = Object.keys(MUTATIONS);
  const name = names[random.below(names.length)] ?? '';
  const mutant = MUTATIONS[name]?.(proof, random, all);
  const outcome = mutant === undefined ? 'same' : judge(proof, mutant, all);
  const label = `${proof.kind}: ${name}`;
  const of = counts.get(label) ?? new Map<Outcome, number>();
  counts.set(label, of.set(outcome, (of.get(outcome) ?? 0) + 1));
  if (outcome === 'FORGED') failures.push(`accepted: ${label}`);
  return outcome;
}

/** Publishes wrong shards until there are enough, and accuses each right one of everything. */
function attackShards(): void {
  const convictions: Conviction[] = [];
  let [accusations, unchanged, unanswerable] = [0, 0, 0];
  while (convictions.length < corruptions) {
    const from = shardCase(random);
    accusations += tried(() => accuseRight(from, random)) ?? 0;
    convictions.push(convictRoot(from, random));
    if (tried(() => isUnanswerable(from, random)) === true) unanswerable++;
    else failures.push('a leaf that cannot be shown could be an answer');
    for (let i = 1; i < CORRUPTIONS_OF_SHARD && convictions.length < corruptions; i++) {
      const conviction = tried(() => convictOne(from, random));
      if (conviction === undefined) unchanged++;
      else convictions.push(conviction);
    }
  }
  row(['wrong shards, each convicted by one proof', 'convicted', 'bytes', 'max', 'verify us', 'max']);
  const groups = Map.groupBy(convictions, ({ corruption, kind }) => `${corruption} -> ${kind}`);
  for (const [name, of] of [...groups].sort()) row([name, of.length, ...figures(of)]);
  row(['all', convictions.length, ...figures(convictions)]);
  row(['leaves too long to show, no answer to a request', unanswerable]);
  row(['corruptions that left the shard right', unchanged]);
  row(['accusations of right shards, none convicts', accusations]);
}

function tried<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Median and maximum of bytes and of microseconds. */
function figures(of: readonly Conviction[]): readonly number[] {
  const bytes = of.map((conviction) => conviction.bytes).sort((a, b) => a - b);
  const us = of.map(({ verifyMs }) => Math.round(1_000 * verifyMs)).sort((a, b) => a - b);
  return [bytes, us].flatMap((list) => [list[list.length >> 1] ?? 0, list.at(-1) ?? 0]);
}

if (proofs > 0) attackProofs();
if (corruptions > 0) attackShards();
for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
const replay = `npm run soundness -- --proofs ${proofs} --corruptions ${corruptions} --seed ${seed}`;
if (failures.length > 0) process.stdout.write(`${failures.length} failures; replay: ${replay}\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
