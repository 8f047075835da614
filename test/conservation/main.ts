/**
 * No unit is made or lost: `npm run conservation -- --operations 10000000 --contributors 1000000 --seed 1`.
 * Random payments at random nodes, changes of weights, claims, joins, exits, and epochs that pay rows or are
 * convicted, through the arithmetic of modules/pools in memory, checked as an equality of integers at checkpoints; the same operations through
 * the arithmetic of Cosmos' F1 beside it; a smaller number through the module and its store. Exit code 1 when
 * an equality does not hold.
 */
import { SCALE } from '../../modules/pools/arithmetic.ts';
import { Random } from '../fuzz/random.ts';
import { ProgramOptions } from '../support/program-options.ts';
import { F1Book, ONE } from './f1-book.ts';
import { Game } from './game.ts';
import { StoreBook } from './store-book.ts';
import { TreeBook } from './tree-book.ts';
import { Workload } from './workload.ts';

const options = new ProgramOptions({
  command: 'npm run conservation',
  purpose: 'no unit of what is paid into pools is made or lost, beside the arithmetic of F1.',
});
const operations = options.number('operations', { fallback: 1_000_000, help: 'in memory' });
const contributors = options.number('contributors', {
  fallback: 100_000,
  least: 2,
  help: 'at the beginning',
});
const checkpoints = options.number('checkpoints', { fallback: 10, least: 1, help: 'where all is added up' });
const stored = options.number('store', { fallback: 20_000, help: 'operations over the store' });
const seed = options.number('seed', { fallback: 1, help: 'what everything is made from' });
options.end();

const DIGITS = 18;
let failures = 0;

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Units with 18 digits behind the point, of a number of so many parts. */
function units(value: bigint, parts: bigint): string {
  const scaled = (value * ONE) / parts;
  const sign = scaled < 0n ? '-' : '';
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(DIGITS + 1, '0');
  return `${sign}${digits.slice(0, -DIGITS)}.${digits.slice(-DIGITS)}`;
}

function inMemory(): void {
  const workload = new Workload(new Random(seed), contributors);
  const [tree, f1] = [new TreeBook(), new F1Book()];
  for (let slot = 0n; slot < BigInt(contributors); slot++) {
    const weight = workload.weight();
    for (const book of [tree, f1]) book.weigh(slot, weight);
  }
  const game = new Game([tree, f1]);
  for (let done = 0; done < operations; ) {
    const until = Math.ceil((operations * (Math.floor((done * checkpoints) / operations) + 1)) / checkpoints);
    for (; done < until; done++) game.take(workload.next());
    checkpoint(tree, done);
    checkEpochs(tree, game);
  }
  const { counts, epochs } = game;
  line(
    `${contributors} contributors at first, ${workload.slots} at the end (${tree.height} levels): ${counts.pay} payments, ` +
      `${counts.claim} claims, ${counts.order} orders of weights, ${counts.epoch} epochs of weights; seed ${seed}`,
  );
  const { stated, refused, convicted, final, entitled } = epochs.counts;
  line(
    `${stated} epochs of receipts stated, ${refused} refused, ${convicted} convicted, ${final} paid, ` +
      `${entitled} entitlements claimed`,
  );
  table(tree, f1, workload.slots);
}

function checkpoint(tree: TreeBook, done: number): void {
  const { paid, out, owed, rem, isEqual } = tree.balance();
  if (!isEqual) failures++;
  line(
    `after ${done} operations: paid·2^64 ${isEqual ? '=' : 'IS NOT'} owed + carried + out·2^64: paid ${paid}, out ${out}, ` +
      `owed ${units(owed, SCALE)}, carried ${units(rem, SCALE)}`,
  );
}

/** Money of rounds and bonds is somewhere, and what payments and rows brought is in the pool. */
function checkEpochs(tree: TreeBook, { epochs, direct }: Game): void {
  const { claimed, bonds, held, paid, bondsOut, isEqual } = epochs.money();
  const isPooled = tree.balance().paid + tree.residual === direct + epochs.nodes;
  if (!isEqual || !isPooled) failures++;
  line(
    `    epochs: claimed ${claimed} + bonds ${bonds} ${isEqual ? '=' : 'IS NOT'} held ${held} + paid ${paid} + ` +
      `bonds returned or divided ${bondsOut}; pool ${isPooled ? '=' : 'IS NOT'} payments + rows`,
  );
}

/** Everybody claims once more; what is left, and how far each slot is from the other book. */
function table(tree: TreeBook, f1: F1Book, slots: number): void {
  let [worst, sum, short] = [0n, 0n, 0];
  for (let slot = 0n; slot < BigInt(slots); slot++) {
    tree.claim(slot);
    f1.claim(slot);
    const difference = ((f1.taken[Number(slot)] ?? 0n) * SCALE - tree.earned(slot)) * ONE;
    const apart = (difference < 0n ? -difference : difference) / SCALE;
    if (difference < 0n) short++;
    if (apart > worst) worst = apart;
    sum += apart;
  }
  const { paid, out, owed, rem, isEqual } = tree.balance();
  if (!isEqual || tree.residual !== f1.residual || paid !== f1.paid) failures++;
  const f1Out = f1.taken.reduce((all, one) => all + one, 0n);
  // Nothing is made or lost there either: it is only not the slots'.
  if (f1.paid * ONE !== f1Out * ONE + f1.community + f1.outstanding) failures++;
  const rows: readonly (readonly string[])[] = [
    ['base units, everybody has claimed', 'modules/pools', 'F1, 18 decimals'],
    ['paid in', `${paid}`, `${f1.paid}`],
    ['paid out to slots', `${out}`, `${f1Out}`],
    ['slots are still owed (fractions)', units(owed, SCALE), 'nothing: cut off'],
    ['carried in nodes', units(rem, SCALE), 'nothing: cut off'],
    ['taken from slots to the community pool', '0', units(f1.community, ONE)],
    ['in nobody’s books (stuck)', '0', units(f1.outstanding, ONE)],
    ['withdrawals cut to what was outstanding', '0', `${f1.clamped}`],
    ['slots that got less than they earned', '0', `${short} of ${slots}`],
    ['largest difference of a slot', '0', units(worst, ONE)],
    ['sum of the differences', '0', units(sum, ONE)],
    ['paid = out + owed + carried', isEqual ? 'yes, as integers' : 'NO', f1Balances(f1, f1Out)],
  ];
  for (const [name = '', ...cells] of rows)
    line(`${name.padEnd(44)}${cells.map((cell) => cell.padStart(46)).join('')}`);
}

function f1Balances(f1: F1Book, out: bigint): string {
  const dust = f1.paid * ONE - out * ONE;
  return dust === 0n ? 'yes' : `no: ${dust / ONE} are not the slots’`;
}

function overStore(): void {
  const slots = Math.max(2, Math.min(contributors, Math.round(stored / 10)));
  const workload = new Workload(new Random(seed), slots);
  const book = new StoreBook();
  for (let slot = 0n; slot < BigInt(slots); slot++)
    book.take({ kind: 'order', slot, weight: workload.weight() });
  book.endEpoch();
  const game = new Game([book]);
  for (let i = 0; i < stored; i++) game.take(workload.next());
  const broken = [...book.broken(), ...(game.epochs.money().isEqual ? [] : ['the money of epochs'])];
  failures += broken.length;
  line(
    `over the store: ${stored} operations, ${slots} contributors, height ${book.world.height}: ` +
      `${broken.length === 0 ? 'the invariants of the module hold' : broken.join('; ')}; claims paid ${book.taken}`,
  );
}

if (operations > 0) inMemory();
if (stored > 0) overStore();
if (failures > 0)
  line(
    `FAILED; replay: npm run conservation -- --operations ${operations} --contributors ${contributors} --seed ${seed}`,
  );
process.exitCode = failures > 0 ? 1 : 0;
