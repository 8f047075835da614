/**
 * Re-derives payouts from a block hash that its user trusts, and believes nothing else: one file that imports
 * nothing of the node, so that whoever doubts the node can read all of what judges it. What is hashed, and in
 * which order the steps follow, is in README.md. Run: `node verify-payout.ts BUNDLE --height H --hash HEX`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type {
  Bundle,
  Derived,
  DerivedAllocation,
  DerivedClaim,
  DerivedCredit,
  DerivedEpoch,
  DerivedPayout,
  DerivedReceipt,
  EpochPart,
  Evidence,
  ProvedPair,
  ProvedRow,
  ProvedState,
  ProvedStore,
  QuotedText,
  RowName,
  Run,
  Target,
  TrustedBlock,
} from './types.ts';

type Bytes = Uint8Array;

/** What a bundle does not show, or shows wrongly. */
export class Refused extends Error {}

function refuse(what: string): never {
  throw new Refused(what);
}

function check(holds: boolean, what: string): asserts holds {
  if (!holds) refuse(what);
}

// ----------------------------------------------------------------------------------------------- bundles
// Proves that a bundle is in the one text that its meaning has.

/** Names this form of bundles. */
export const BUNDLE_FORM = 'openledger/payout/1';

/** The one text of a bundle. */
export function bundleText(bundle: Bundle): string {
  return `${JSON.stringify(bundle, undefined, 1)}\n`;
}

const PAIR: ProvedPair = { key: '', value: '', prefix: '', path: [['']] };
const ROW: ProvedRow = { key: '', found: PAIR, left: PAIR, right: PAIR };
const RUNS: readonly Run[] = [{ from: 0, leaves: [''], siblings: '' }];
/** What a bundle looks like: each list holds one of what it may hold any number of. */
const SAMPLE: Bundle = {
  form: BUNDLE_FORM,
  states: [{ header: [''], stores: [{ name: '', root: '', path: [['']], rows: [ROW] }] }],
  targets: [{ kind: 'claim', receipt: '', pool: [''], slot: '', denom: '', credits: [''] }],
  claims: [''],
  epochs: [{ epoch: '', row: 0, allocations: RUNS, receipts: RUNS, entitlements: RUNS }],
  attributions: [''],
};

/** Whether it has the sample's members in their order, with values of the same kinds; a pair may be null. */
function isLike<T>(value: unknown, sample: T): value is T {
  if (value === null) return sample === PAIR;
  if (typeof value !== typeof sample) return false;
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  if (typeof value !== 'object') return true;
  if (Array.isArray(sample)) return Array.isArray(value) && value.every((each) => isLike(each, sample[0]));
  const members = Object.entries(Object(sample));
  return (
    Object.keys(value).join() === members.map(([name]) => name).join() &&
    members.every(([name, each]) => isLike(Reflect.get(value, name), each))
  );
}

// ------------------------------------------------------------------------------------------------- bytes
// Proves nothing: reads and writes numbers and messages.

const fromHex = (digits: string): Bytes => {
  check(/^([0-9a-f]{2})*$/.test(digits), 'bytes are not in hexadecimal');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
};
const toHex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');
const join = (...parts: readonly Bytes[]): Bytes => Uint8Array.from(Buffer.concat(parts));
const sha256 = (...parts: readonly Bytes[]): Bytes => {
  const hash = createHash('sha256').update(join(...parts));
  return Uint8Array.from(hash.digest());
};
const hashOf = (digits: string): string => toHex(sha256(fromHex(digits)));
const same = (a: Bytes, b: Bytes): boolean => Buffer.compare(a, b) === 0;
const encode = (text: string): Bytes => new TextEncoder().encode(text);
const NOTHING = new Uint8Array(0);
const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** A number of so many bytes, big-endian. */
function fixed(value: bigint, bytes: number): string {
  const digits = value.toString(16).padStart(2 * bytes, '0');
  check(digits.length === 2 * bytes, `a number does not fit ${bytes} bytes`);
  return digits;
}

/** A number that is written so; 0 where nothing is written. */
function numberOf(bytes: Bytes): bigint {
  return BigInt(`0x0${toHex(bytes)}`);
}

/** Of decimal digits. */
function decimal(digits: string): bigint {
  check(/^(0|[1-9]\d{0,119})$/.test(digits), `"${digits.slice(0, 40)}" is no number`);
  return BigInt(digits);
}

function varint(value: number): Bytes {
  return value < 128 ? Uint8Array.of(value) : Uint8Array.of((value % 128) + 128, ...varint(value >> 7));
}

function readVarint(bytes: Bytes, at: number): readonly [value: bigint, next: number] {
  let value = 0n;
  for (let i = at; i < at + 10; i++) {
    const byte = bytes[i] ?? refuse('a varint is cut short');
    value |= BigInt(byte & 127) << BigInt(7 * (i - at));
    if (byte < 128) return [value, i + 1];
  }
  return refuse('a varint is too long');
}

/** A protobuf message by field numbers. What is not there reads as zero or empty. */
class Message {
  readonly #numbers = new Map<number, bigint>();
  readonly #bytes = new Map<number, Bytes[]>();

  constructor(bytes: Bytes) {
    for (let at = 0; at < bytes.length; ) {
      const [tag, start] = readVarint(bytes, at);
      const [number, wire] = [Number(tag >> 3n), tag & 7n];
      const [head, next] = readVarint(bytes, start);
      check(wire === 0n || wire === 2n, 'a field of an unknown wire type');
      at = wire === 0n ? next : next + Number(head);
      check(at <= bytes.length, 'a field is cut short');
      if (wire === 0n) this.#numbers.set(number, head);
      else this.#bytes.set(number, [...this.all(number), bytes.subarray(next, at)]);
    }
  }

  uint(number: number): bigint {
    return this.#numbers.get(number) ?? 0n;
  }
  all(number: number): readonly Bytes[] {
    return this.#bytes.get(number) ?? [];
  }
  bytes(number: number): Bytes {
    return this.all(number).at(-1) ?? NOTHING;
  }
  text(number: number): string {
    return new TextDecoder('utf-8', { fatal: true }).decode(this.bytes(number));
  }
  amount(number: number): bigint {
    return decimal(this.text(number) || '0');
  }
  message(number: number): Message {
    return new Message(this.bytes(number));
  }
  messages(number: number): readonly Message[] {
    return this.all(number).map((bytes) => new Message(bytes));
  }
  /** Packed. */
  uints(number: number): readonly bigint[] {
    const [bytes, values]: readonly [Bytes, bigint[]] = [this.bytes(number), []];
    let [value, at] = [0n, 0];
    while (at < bytes.length) {
      [value, at] = readVarint(bytes, at);
      values.push(value);
    }
    return values;
  }
}

// ------------------------------------------------------------------------------- headers, rows of states
// Proves that a row has this value after a block, or is not there: it leads to a header, and that to another.

/** Neighbouring leaves of a tree, and what leads from them to its root. */
interface Opening {
  readonly first: number;
  readonly leaves: readonly Bytes[];
  /** The nodes that are over none of these, from left to right. */
  readonly siblings: Bytes;
  /** Leaves of the tree. */
  readonly total: number;
}

/**
 * What an opening leads to (RFC 6962): a node has to its left as many leaves as the largest power of two
 * below their number. In trees of epochs nodes hash a kind first, and all end in so many sums of 8 bytes.
 */
function rootOf({ first, leaves, siblings, total }: Opening, kind: Bytes = NOTHING, sums = 0): Bytes {
  const width = 32 + 8 * sums;
  let read = 0;
  const walk = (from: number, to: number): Bytes => {
    if (to <= first || from >= first + leaves.length) {
      check(read + width <= siblings.length, 'an opening has too few hashes');
      read += width;
      return siblings.subarray(read - width, read);
    }
    if (to - from === 1) {
      const leaf = leaves[from - first] ?? NOTHING;
      return join(sha256(LEAF, leaf), leaf.subarray(leaf.length - 8 * sums));
    }
    let middle = 1;
    while (middle * 2 < to - from) middle *= 2;
    const [left, right] = [walk(from, from + middle), walk(from + middle, to)];
    const node = [sha256(INNER, kind, left, right)];
    for (let at = 32; at < width; at += 8) {
      const [a, b] = [left.subarray(at, at + 8), right.subarray(at, at + 8)];
      node.push(fromHex(fixed(numberOf(a) + numberOf(b), 8)));
    }
    return join(...node);
  };
  const root = walk(0, total);
  check(read === siblings.length, 'an opening has too many hashes');
  return root;
}

function isRising<T>(list: readonly T[], isBelow: (one: T, next: T) => boolean): boolean {
  return list.slice(1).every((next, i) => isBelow(list[i] ?? next, next));
}

/** What has no order of its own stands in that of its text, each once. */
function checkRising(texts: readonly string[]): void {
  check(
    isRising(texts, (one, next) => one < next),
    'a list does not rise, or has something twice',
  );
}

/** The rows that a bundle shows, by name. @throws Refused unless all of them lead to the trusted block */
function openStates(states: readonly ProvedState[], trusted: TrustedBlock): ReadonlyMap<string, Bytes> {
  const opened = new Map<string, Bytes>();
  let [expected, height] = [fromHex(trusted.hash), trusted.height];
  for (const { header, stores } of states.toReversed()) {
    check(header.length === 14, 'a header has not 14 fields');
    const leaves = header.map(fromHex);
    const root = rootOf({ first: 0, leaves, siblings: NOTHING, total: 14 });
    check(same(root, expected), `the header of ${height} is not that of the trusted chain`);
    const field = (i: number): Message => new Message(leaves[i] ?? NOTHING);
    check(field(2).uint(1) === height, `a header is not of height ${height}`);
    expected = field(4).bytes(1);
    // The app hash of a header is that of the state after the block before it.
    height--;
    checkRising(stores.map(({ name }) => name));
    for (const store of stores) {
      const top = openStore(store, field(10).bytes(1));
      checkRising(store.rows.map(({ key }) => key));
      for (const row of store.rows)
        opened.set(rowName({ height, store: store.name, key: row.key }), openRow(row, top));
    }
  }
  return opened;
}

function rowName({ height, store, key }: RowName): string {
  return `the row ${key} of ${store} after block ${height}`;
}

/** The root of a store, which leads to the app hash. */
function openStore({ name, root, path }: ProvedStore, appHash: Bytes): Bytes {
  const [key, steps] = [encode(name), path.map(stepOf)];
  for (const { prefix, suffix } of steps) {
    const isNode = prefix[0] === 1 && prefix.length + suffix.length === 33 && suffix.length % 32 === 0;
    check(isNode, `the path of store ${name} is malformed`);
  }
  const leaf = sha256(LEAF, varint(key.length), key, varint(32), sha256(fromHex(root)));
  check(same(climb(leaf, steps), appHash), `store ${name} is not in the app hash`);
  return fromHex(root);
}

/** What stands before and behind the hash of a node in what its parent is the hash of. */
type Step = Readonly<Record<'prefix' | 'suffix', Bytes>>;

function stepOf(step: readonly string[]): Step {
  const [prefix = '', suffix = ''] = step;
  check(step.length === 2, 'a step has not two sides');
  return { prefix: fromHex(prefix), suffix: fromHex(suffix) };
}

function climb(from: Bytes, path: readonly Step[]): Bytes {
  return path.reduce((child, { prefix, suffix }) => sha256(prefix, child, suffix), from);
}

/** The value of a row, empty when its neighbours show that it is not there. */
function openRow({ key, found, left, right }: ProvedRow, root: Bytes): Bytes {
  if (found !== null) {
    check(found.key === key && left === null && right === null, 'a row is another');
    check(found.value !== '', 'a row is empty');
    openPair(found, root);
    return fromHex(found.value);
  }
  check(left === null || left.key < key, 'a row is not behind its left neighbour');
  check(right === null || key < right.key, 'a row is not before its right neighbour');
  const [below, above] = [left, right].map((pair) => (pair === null ? 'none' : openPair(pair, root)));
  // Both go one way, part left and right, then keep to the inner side; one alone is the last or the first.
  const isBetween = /^(?:(?<way>[LR]*)LR*,\k<way>RL*|R*,none|none,L*)$/.test(`${below},${above}`);
  check(isBetween, 'two rows are not neighbours');
  return NOTHING;
}

/** The way to a pair from the root of an IAVL tree, `L` or `R` at each node: ICS-23 says what a node is. */
function openPair({ key, value, prefix, path }: ProvedPair, root: Bytes): string {
  const steps = path.map(stepOf);
  const [head, bytes, content] = [fromHex(prefix), fromHex(key), fromHex(value)];
  // Height 0 and size 1, doubled (zig-zag), then the version: no node begins so.
  check(head[0] === 0 && head[1] === 2 && endOfNumbers(head) === head.length, 'a leaf is malformed');
  const leaf = sha256(head, varint(bytes.length), bytes, varint(32), sha256(content));
  check(same(climb(leaf, steps), root), `the row ${key} is not in its store`);
  const sides = steps.map(({ prefix: before, suffix }) => {
    const end = endOfNumbers(before);
    check(before[0] !== 0 && before[end] === 32, 'a node is malformed');
    const isLeft = before.length === end + 1 && suffix.length === 33 && suffix[0] === 32;
    const isRight = before.length === end + 34 && before[end + 33] === 32 && suffix.length === 0;
    check(isLeft || isRight, 'a node is malformed');
    return isLeft ? 'L' : 'R';
  });
  return sides.reverse().join('');
}

/** Behind height, size and version. */
function endOfNumbers(bytes: Bytes): number {
  let at = 0;
  for (let i = 0; i < 3; i++) [, at] = readVarint(bytes, at);
  return at;
}

// --------------------------------------------------------------------------------------- claims of slots
// Proves that a slot was paid this much in the last block, and that these credits are all it was paid of.

const SCALE = 1n << 64n;
const BYTE_WEIGHT = 720_720n;
const DATANET = 1n;
const MODEL = 2n;
const PARTIES = ['platform', 'model', 'stakers', 'contributors'] as const;

function rowOf(e: Evidence, store: string, key: string, height: bigint = e.height): Message {
  const value = e.row({ height, store, key });
  check(value.length > 0, `${store} has no row ${key}`);
  return new Message(value);
}

function numberAt(e: Evidence, store: string, key: string, height: bigint = e.height): bigint {
  return numberOf(e.row({ height, store, key }));
}

/** Derives one target. @throws Refused */
export function derive(e: Evidence, wanted: Target): Derived {
  if (wanted.kind === 'claim') return deriveClaim(e, wanted);
  const { kind, pool, slot, denom, credits } = wanted;
  check(kind === 'receipt', 'a target of no kind');
  check(pool.length + credits.length === 0 && slot + denom === '', 'a receipt has no slot');
  return { kind: 'receipt', receipt: deriveReceipt(e, decimal(wanted.receipt)) };
}

/**
 * What a slot was paid in the last block: its debt before, what the block added, less its debt after it.
 * Every credit since the slot was last paid is in that, so these make up the amount but for what was carried:
 * less than a base unit.
 */
function deriveClaim(e: Evidence, { receipt, pool: id, slot: number, denom, credits }: Target): Derived {
  const [kind = '', subject = '', ...more] = id;
  check(receipt === '' && more.length === 0, 'a claim is of one pool');
  const [pool, slot] = [fixed(decimal(kind), 4) + fixed(decimal(subject), 8), decimal(number)];
  const key = pool + fixed(slot, 8);
  const before = e.height - 1n;
  const state = rowOf(e, 'pools', `01${pool}`);
  const [levels, isClosed] = [state.uint(2), state.uint(5) === 1n];
  const wasClosed = new Message(e.row({ height: before, store: 'pools', key: `01${pool}` })).uint(5) === 1n;
  const debtAt = (height: bigint) => {
    const debtKey = `05${key}${toHex(encode(denom))}`;
    const debt = new Message(e.row({ height, store: 'pools', key: debtKey }));
    return { seen: debt.amount(1), owed: debt.amount(2), paid: debt.uint(3) };
  };
  const [old, now] = [debtAt(before), debtAt(e.height)];
  // Slots of a model are there as long as it is, and never change.
  const weighedAt = decimal(kind) === MODEL ? e.height : before;
  const ends = rowOf(e, 'pools', `04${key}`);
  const begins = e.row({ height: weighedAt, store: 'pools', key: `04${key}` });
  const row = begins.length > 0 ? new Message(begins) : ends;
  const present = numberAt(e, 'pools', `02${pool}00000000${fixed(slot, 8)}`, weighedAt);
  const weight = present || weightOf(e, id, slot);
  const lastBefore = numberAt(e, 'pools', '0c', before);
  let owed = old.owed + present * (now.seen - old.seen);
  let left = now.owed;
  let earned = 0n;
  let last = old.paid;
  const found: DerivedCredit[] = [];
  const taken = new Set<string>();
  for (const each of credits) {
    const credit = rowOf(e, 'pools', `0d${fixed(decimal(each), 8)}`);
    const [at, of, place, coin] = [credit.uint(1), credit.message(2), credit.message(3), credit.message(4)];
    const [level, isWhole, prefix] = [place.uint(1), credit.uint(10) === 1n, credit.uint(11)];
    check(at > last, 'credits do not rise');
    last = at;
    const isOfPool = `${of.uint(1)},${of.uint(2)}` === id.join();
    check(isOfPool && coin.text(1) === denom, 'a credit of another pool');
    check(level <= levels && place.uint(2) === slot >> level, `credit ${at} is not over the slot`);
    check(prefix === 0n || slot < prefix, `credit ${at} is for the slots below ${prefix}`);
    check(!isWhole || level === 0n, `credit ${at} is of no slot`);
    // By weight, behind the claim: what the slot was owed when it was withdrawn, at the end of the block.
    check(isWhole || at <= now.paid || at <= ends.uint(3), `credit ${at} came behind the claim`);
    const weighed = at > row.uint(2) && (present > 0n || at <= row.uint(3));
    check(isWhole || weighed, `the slot weighed nothing when credit ${at} came`);
    const amount = coin.amount(2);
    const share = isWhole ? amount * SCALE : weight * credit.amount(5);
    if (at > now.paid) {
      left -= share;
      if (!isWhole) owed -= share;
      continue;
    }
    if (isWhole && at > lastBefore) owed += share;
    earned += share;
    found.push({ id: at, height: credit.uint(6), amount, share, ...sourceOf(e, credit, taken) });
  }
  checkApart(found);
  check(left >= 0n && left < SCALE && (!wasClosed || left === 0n), 'the slot was not paid in this block');
  const amount = (owed - left) / SCALE;
  check(amount > 0n && (isClosed || amount * SCALE === owed - left), 'the slot was not paid in this block');
  const carried = owed - earned;
  check(carried >= 0n && carried < (old.paid === 0n ? 1n : SCALE), 'credits are not what was paid');
  const name = `${decimal(kind) === DATANET ? 'datanet' : 'model'}/${subject}`;
  const at = { pool: name, slot, owner: row.text(1), denom, height: e.height };
  return { kind: 'claim', ...at, amount, weight, carried, left, credits: found };
}

/** Of a slot that weighs nothing any more: its credits are of when it weighed its contribution's bytes. */
function weightOf(e: Evidence, [kind = '', subject = '']: readonly string[], slot: bigint): bigint {
  if (decimal(kind) !== DATANET) return 0n;
  return rowOf(e, 'datanet', `07${fixed(contributionAt(e, decimal(subject), slot), 8)}`).uint(5);
}

function contributionAt(e: Evidence, datanet: bigint, position: bigint): bigint {
  return numberAt(e, 'datanet', `10${fixed(datanet, 8)}${fixed(position, 8)}`);
}

/** Nothing is paid twice: an epoch has one row of a place, and what rows are of was charged once. */
function checkApart(credits: readonly DerivedCredit[]): void {
  const epochs = credits.flatMap(({ epoch }) => epoch ?? []);
  const rows = new Set(epochs.map(({ id, place }) => `${id}/${place}`));
  check(rows.size === epochs.length, 'an epoch has two rows of a place');
  // One receipt may pay a place, and a prefix that the place is in.
  const named = epochs.flatMap(({ id, shown }) =>
    shown.map((each) => {
      const at = [each.channel, fixed(BigInt(each.lane), 2), fixed(each.before, 8)];
      return [[...at, id, each.number].join(), each] as const;
    }),
  );
  const charges = [...new Map(named)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  const isApart = (a: DerivedAllocation, b: DerivedAllocation): boolean =>
    a.channel !== b.channel || a.lane !== b.lane || a.before + a.fee <= b.before;
  check(isRising(charges, isApart), 'two receipts are of one charge');
}

type Source = Pick<DerivedCredit, 'receipt' | 'epoch'>;

/** The receipt or epoch of a credit, which has just this amount for just this place, and no other has taken. */
function sourceOf(e: Evidence, credit: Message, taken: Set<string>): Source {
  const [pool, place] = [credit.message(2), credit.message(3)];
  const [kind, subject, level, index] = [pool.uint(1), pool.uint(2), place.uint(1), place.uint(2)];
  const amount = credit.message(4).amount(2);
  // The first position alone has its part whole, as what is its own; of all others' the number is told.
  const isFirst = kind === DATANET && level === 0n && index === 0n;
  const positions = isFirst ? 1n : credit.uint(11);
  if (credit.uint(7) > 0n) {
    const receipt = deriveReceipt(e, credit.uint(7));
    check(receipt.denom === credit.message(4).text(1), 'a credit in another denomination than its receipt');
    const named = kind === DATANET && level === 0n ? contributionAt(e, subject, index) : 0n;
    const isOf = (payout: DerivedPayout): boolean =>
      kind === MODEL
        ? payout.party === 'model' && receipt.model === subject && positions === 0n
        : (named > 0n && payout.contribution === named) ||
          (positions > 0n && payout.datanet === subject && payout.positions === positions);
    const own = receipt.payouts.findIndex(
      (payout, i) => isOf(payout) && payout.amount === amount && !taken.has(`${receipt.id}/${i}`),
    );
    check(own >= 0, `receipt ${receipt.id} has no such payout`);
    taken.add(`${receipt.id}/${own}`);
    return { receipt, epoch: null };
  }
  check(credit.uint(8) > 0n, 'a credit that comes from nowhere');
  const epoch = deriveEpoch(e, credit.uint(8), Number(credit.uint(9)), [
    kind === MODEL && positions === 0n ? placeText(1n, subject, 0n, 0n) : '',
    kind === DATANET && level === 0n ? placeText(2n, subject, 0n, index) : '',
    kind === DATANET && positions > 0n ? placeText(2n, subject, 255n, positions) : '',
  ]);
  check(epoch.amount === amount, `epoch ${epoch.id} has another amount`);
  return { receipt: null, epoch };
}

/** A place as it stands in leaves: kind, id, level, index. */
function placeText(kind: bigint, id: bigint, level: bigint, index: bigint): string {
  return fixed(kind, 1) + fixed(id, 8) + fixed(level, 1) + fixed(index, 4);
}

// ----------------------------------------------------------------------- receipts, claims of attribution
// Proves that a fee is what its model costs, that its parts are whose they are, and that quotes are quotes.

/** Of an amount, to a place or a contribution. */
type Share = { readonly to: string; readonly weight: bigint };
type Due = { readonly to: string; readonly amount: bigint };

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** By largest remainders; of equal ones the first gains. */
function divide(amount: bigint, shares: readonly Share[]): readonly Due[] {
  const whole = sum(shares.map(({ weight }) => weight));
  check(whole > 0n, 'nothing to divide by');
  const dues = shares.map(({ to, weight }) => {
    const exact = amount * weight;
    return { to, amount: exact / whole, rest: exact % whole };
  });
  const over = Number(amount - sum(dues.map((due) => due.amount)));
  const ranked = dues.toSorted((a, b) => (a.rest === b.rest ? 0 : a.rest > b.rest ? -1 : 1));
  for (const due of ranked.slice(0, over)) due.amount++;
  return dues;
}

/** What an inference used of its model, and the fee that is stated for it. */
type Charge = Pick<DerivedReceipt, 'model' | 'tokensIn' | 'tokensOut' | 'denom' | 'fee'>;

/**
 * The parts of a fee, which is what its model costs, and what of the contributors' part is whose: what is
 * nobody's is divided by bytes among the positions of the model's snapshots.
 */
function divideFee(e: Evidence, name: string, { model: id, tokensIn, tokensOut, denom, fee }: Charge) {
  const model = rowOf(e, 'models', `02${fixed(id, 8)}`);
  const [price, split] = [model.message(7), model.message(9)];
  const cost = (tokensIn * price.amount(2) + tokensOut * price.amount(3) + 999n) / 1000n + price.amount(4);
  check(price.text(1) === denom && cost === fee, `${name} has another fee`);
  // By Datanet and positions, which sort as text.
  const weights = new Map<string, bigint>();
  for (const snapshot of model.uints(6)) {
    const found = rowOf(e, 'datanet', `0d${fixed(snapshot, 8)}`);
    const prefix = placeText(2n, found.uint(2), 255n, found.uint(5));
    weights.set(prefix, (weights.get(prefix) ?? 0n) + found.uint(7));
  }
  const snapshots = [...weights.keys()].sort().map((to) => ({ to, weight: weights.get(to) ?? 0n }));
  const part = (field: number): bigint => (fee * split.uint(field)) / 10_000n;
  // Without a snapshot there are no contributors: their part is the residual party's, or the platform's.
  const contributors = snapshots.length > 0 ? part(4) : 0n;
  const parts = { platform: part(1), model: part(2), stakers: part(3), contributors };
  const residual = PARTIES[Number(split.uint(5)) - 1] ?? refuse('a split has no residual party');
  const heir = residual === 'contributors' && snapshots.length === 0 ? 'platform' : residual;
  parts[heir] += fee - sum(Object.values(parts));
  const dues = (shares: readonly Share[], unattributed: bigint): readonly Due[] => {
    const all = divide(parts.contributors, [...shares, { to: '', weight: unattributed }]);
    const rest = all.at(-1)?.amount ?? 0n;
    const nobodys = snapshots.length > 0 ? divide(rest, snapshots) : [];
    return [...all.slice(0, -1), ...nobodys].filter(({ amount }) => amount > 0n);
  };
  return { parts, dues };
}

/** A receipt: fee, split and contributors' payouts are those that follow from model, usage and claim. */
function deriveReceipt(e: Evidence, id: bigint): DerivedReceipt {
  const receipt = rowOf(e, 'payments', `02${fixed(id, 8)}`);
  const coin = receipt.message(7);
  const usage = { model: receipt.uint(3), tokensIn: receipt.uint(5), tokensOut: receipt.uint(6) };
  const charge = { ...usage, denom: coin.text(1), fee: coin.amount(2) };
  const { parts, dues } = divideFee(e, `receipt ${id}`, charge);
  const payouts = receipt.messages(9).map((payout) => ({
    party: PARTIES[Number(payout.uint(1)) - 1] ?? refuse('a payout of no party'),
    amount: payout.amount(3),
    recipient: payout.text(2),
    contribution: payout.uint(5),
    datanet: payout.uint(6),
    positions: payout.uint(8),
  }));
  for (const party of PARTIES) {
    const amounts = payouts.filter((payout) => payout.party === party).map(({ amount }) => amount);
    check(sum(amounts) === parts[party], `receipt ${id} pays ${party} another amount`);
  }
  const claim = receipt.uint(10) > 0n ? deriveAttribution(e, receipt.uint(10), charge.model) : null;
  const isHeld = receipt.messages(9).some((payout) => payout.uint(7) > 0n);
  if (!isHeld) {
    const shares = claim?.shares.map(({ contribution, weight }) => ({ to: `${contribution}`, weight })) ?? [];
    const due = dues(shares, claim?.unattributed ?? 1n).map(({ to, amount }) => `${to}/${amount}`);
    const paid = payouts.filter(({ party }) => party === 'contributors').map(payeeText);
    check(due.join() === paid.join(), 'contributors are paid another part than theirs');
  }
  const at = { id, height: receipt.uint(11), tx: toHex(receipt.bytes(12)), payer: receipt.text(2) };
  return { ...at, ...charge, parts, payouts, claim };
}

function payeeText({ contribution, datanet, positions, amount }: DerivedPayout): string {
  const snapshot = datanet > 0n ? placeText(2n, datanet, 255n, positions) : '';
  return `${contribution || ''}${snapshot}/${amount}`;
}

/** A claim's shares; null when it was convicted or voided, so that nobody in particular is paid. */
function deriveAttribution(e: Evidence, id: bigint, model: bigint): DerivedClaim | null {
  const claim = rowOf(e, 'attribution', `02${fixed(id, 8)}`);
  check(claim.uint(8) === model, `claim ${id} is of another model`);
  if (claim.uint(10) > 3n) return null;
  const shares = claim.messages(6).map((share) => ({ contribution: share.uint(1), weight: share.uint(3) }));
  const [total, unattributed] = [claim.uint(7), claim.uint(11)];
  check(sum(shares.map(({ weight }) => weight)) + unattributed === total, `claim ${id} does not add up`);
  // Spans of other kinds of claims name no contribution here: their shares are the chain's record.
  if (claim.messages(5).every((span) => span.uint(1) === 0n))
    return { id, total, unattributed, shares, quotes: [] };
  const claimed = new Message(e.claim(id, toHex(claim.bytes(2))));
  const quotes = claimed.messages(1).map((span) => quoteOf(e, span, claim));
  const isQuoted = rowOf(e, 'models', `02${fixed(model, 8)}`).uint(8) === 1n;
  if (isQuoted) checkCoverage(e, quotes, shares);
  return { id, total, unattributed, shares, quotes };
}

/** Each quoted byte of the answer counts once; what several hold is divided equally. */
function checkCoverage(e: Evidence, quotes: readonly QuotedText[], shares: DerivedClaim['shares']): void {
  // The canonical contribution of a content, where that is paid.
  const owner = ({ contribution: id }: QuotedText): bigint => {
    const canonical = rowOf(e, 'datanet', `07${fixed(id, 8)}`).uint(13);
    return shares.some(({ contribution }) => contribution === canonical) ? canonical : id;
  };
  const end = ({ answerOffset, length }: QuotedText): bigint => answerOffset + BigInt(length);
  const bounds = [...new Set(quotes.flatMap((quote) => [quote.answerOffset, end(quote)]))];
  bounds.sort((a, b) => (a < b ? -1 : 1));
  const weights = new Map<bigint, bigint>();
  for (const [i, from] of bounds.entries()) {
    const to = bounds[i + 1] ?? from;
    const over = quotes.filter((quote) => quote.answerOffset <= from && to <= end(quote));
    const owners = new Set(over.map(owner));
    for (const each of owners)
      weights.set(each, (weights.get(each) ?? 0n) + ((to - from) * BYTE_WEIGHT) / BigInt(owners.size));
  }
  const isRight = shares.every(({ contribution, weight }) => weights.get(contribution) === weight);
  check(isRight && weights.size === shares.length, 'shares are not those of the quoted bytes');
}

/** A span's bytes, which lead to the root of their contribution, and to that of an answer that is opened. */
function quoteOf(e: Evidence, span: Message, claim: Message): QuotedText {
  const [contribution, answerOffset, sourceOffset] = [span.uint(1), span.uint(2), span.uint(3)];
  const length = Number(span.uint(4));
  const source = rowOf(e, 'datanet', `07${fixed(contribution, 8)}`);
  const [root, size] = [source.bytes(4), source.uint(5)];
  const bytes = openChunks(span.message(5), { root, size, offset: sourceOffset, length });
  if (span.all(6).length > 0) {
    const answer = { root: claim.bytes(3), size: claim.uint(4), offset: answerOffset, length };
    check(same(openChunks(span.message(6), answer), bytes), 'the answer says something else');
  }
  const buffer = Buffer.from(bytes);
  const text = buffer.equals(Buffer.from(buffer.toString())) ? buffer.toString() : toHex(bytes);
  return { contribution, contributor: source.text(3), answerOffset, sourceOffset, length, text };
}

/** Bytes of a content: the 256-byte chunks that hold them lead to its root. */
function openChunks(
  proof: Message,
  content: { readonly root: Bytes; readonly size: bigint; readonly offset: bigint; readonly length: number },
): Bytes {
  const [leaves, siblings, length] = [proof.all(1), join(...proof.all(2)), content.length];
  const [size, offset] = [Number(content.size), Number(content.offset)];
  const [first, end] = [Math.floor(offset / 256), Math.ceil((offset + length) / 256)];
  const isInside = length > 0 && offset + length <= size && first + leaves.length === end;
  check(isInside, 'a span is outside');
  const areWhole = leaves.every((chunk, i) => chunk.length === Math.min(256, size - 256 * (first + i)));
  check(areWhole, 'a chunk is not as long as it is');
  const top = rootOf({ first, leaves, siblings, total: Math.ceil(size / 256) });
  check(same(top, content.root), 'a span is not of its contribution');
  const start = offset - 256 * first;
  return join(...leaves).subarray(start, start + length);
}

// ------------------------------------------------------------------------------------------------ epochs
// Proves that a row of an epoch is the sum of its allocations, and these what their receipts give its place.

/** Fields of bytes one behind the other, with their lengths. */
type Layout = Readonly<Record<string, number>>;
type Fields<L extends Layout> = Readonly<Record<keyof L, bigint>>;

/** The numbers in bytes of a layout. @throws Refused when the bytes are more or fewer */
function fieldsOf<L extends Layout>(layout: L, bytes: Bytes): Fields<L> {
  const fields = {} as Record<keyof L, bigint>;
  let at = 0;
  for (const name in layout) {
    const end = at + (layout[name] ?? 0);
    fields[name] = numberOf(bytes.subarray(at, end));
    at = end;
  }
  check(at === bytes.length, 'a leaf or an attribution is malformed');
  return fields;
}

const CHARGE = { channel: 32, lane: 2, before: 8, after: 8, modelId: 8, tokensIn: 4, tokensOut: 4 };
const HASHES = { request: 32, answer: 32, attribution: 32 };
const PARTS = { platform: 8, model: 8, stakers: 8, contributors: 8 };
/** Trees of an epoch: first byte of their leaves, what follows it, how many of the last fields are sums. */
const RECEIPTS = { kind: 33, layout: { ...CHARGE, ...HASHES, ...PARTS }, sums: 4 };
const ALLOCATIONS = { kind: 34, layout: { place: 14, receipt: 4, amount: 8 }, sums: 1 };
const ENTITLEMENTS = { kind: 35, layout: { place: 14, end: 4, amount: 8 }, sums: 1 };
/** An attribution, kind 36, and its entries behind it. */
const ATTRIBUTION = { kind: 1, claim: 8, unattributed: 8, count: 2 };
const ENTRY = { place: 14, weight: 8 };

/** Leaves by their numbers. @throws Refused unless each run leads to the root, all sums on the way right */
function openLeaves<L extends Layout>(
  { kind, layout, sums }: { readonly kind: number; readonly layout: L; readonly sums: number },
  runs: readonly Run[],
  committed: Message,
): ReadonlyMap<number, Fields<L>> {
  const opened = new Map<number, Fields<L>>();
  const total = Number(committed.uint(2));
  const totals = committed.uints(3).map((each) => fixed(each, 8));
  const root = toHex(committed.bytes(1)) + totals.join('');
  let free = 0;
  for (const { from: first, leaves: digits, siblings } of runs) {
    const leaves = digits.map(fromHex);
    const end = first + leaves.length;
    check(first >= free && end > first && end <= total, 'an opening is of no leaf, or of one again');
    free = end;
    for (const [i, leaf] of leaves.entries()) {
      check(leaf[0] === kind, 'a leaf is of another tree');
      opened.set(first + i, fieldsOf(layout, leaf.subarray(1)));
    }
    const top = rootOf({ first, leaves, siblings: fromHex(siblings), total }, Uint8Array.of(kind), sums);
    check(toHex(top) === root, 'an opening leads elsewhere');
  }
  return opened;
}

/** Place, allocations and amount of a row that the epoch lists, or of an entitlement: these follow them. */
function epochRow(commitment: Message, number: number, part: EpochPart) {
  const listed = commitment.messages(3).map((row) => {
    const at = row.message(1);
    const place = placeText(at.uint(1), at.uint(2), at.uint(3), at.uint(4));
    return { place, end: row.uint(2), amount: row.uint(3) };
  });
  const opened = openLeaves(ENTITLEMENTS, part.entitlements, commitment.message(4));
  const rowAt = (i: number) => {
    const leaf = opened.get(i - listed.length);
    return (
      listed[i] ??
      (leaf && { ...leaf, place: fixed(leaf.place, 14) }) ??
      refuse('an entitlement is not shown')
    );
  };
  const { place, end, amount } = rowAt(number);
  const begin = number === 0 ? 0n : rowAt(number - 1).end;
  const needed = Math.min(2, Math.max(0, number + 1 - listed.length));
  check(opened.size === needed, 'an entitlement too many');
  return { place, begin: Number(begin), end: Number(end), amount };
}

/** A row of an epoch that was paid, with the allocations behind it that are shown, and their receipts. */
function deriveEpoch(e: Evidence, id: bigint, number: number, places: readonly string[]): DerivedEpoch {
  const epoch = rowOf(e, 'settlement', `08${fixed(id, 8)}`);
  const [commitment, part] = [epoch.message(5), e.epochPart(id, number)];
  const { place, begin, end, amount } = epochRow(commitment, number, part);
  check(places.includes(place), `row ${number} of epoch ${id} is of another place`);
  check(epoch.uint(6) === 3n || epoch.uint(11) > BigInt(number), `row ${number} of epoch ${id} is not paid`);
  const allocations = openLeaves(ALLOCATIONS, part.allocations, commitment.message(2));
  const receipts = openLeaves(RECEIPTS, part.receipts, commitment.message(1));
  const shown = [...allocations].map(([index, { place: to, receipt: of, amount: due }]) => {
    check(index >= begin && index < end, 'an allocation is outside of its row');
    check(fixed(to, 14) === place, 'an allocation is of another place');
    const receipt = receipts.get(Number(of)) ?? refuse(`receipt ${of} of epoch ${id} is not shown`);
    return deriveAllocation(e, { number: Number(of), place, amount: due }, receipt, epoch.text(3));
  });
  check(
    isRising(shown, (a, b) => a.number < b.number),
    'allocations do not rise',
  );
  check(shown.length === receipts.size, 'a receipt too many');
  if (shown.length === end - begin)
    check(sum(shown.map((each) => each.amount)) === amount, 'a row is another sum');
  return { id, row: number, place, gateway: epoch.text(2), amount, count: end - begin, shown };
}

type Receipt = Fields<typeof RECEIPTS.layout>;

/** An allocation is what its place gets of its receipt, by the receipt's model and attribution. */
function deriveAllocation(
  e: Evidence,
  { number, place, amount }: { readonly number: number; readonly place: string; readonly amount: bigint },
  receipt: Receipt,
  denom: string,
): DerivedAllocation {
  const { modelId, tokensIn, tokensOut, before, after } = receipt;
  const charge = { model: modelId, tokensIn, tokensOut, fee: after - before };
  const { parts, dues } = divideFee(e, `receipt ${number}`, { ...charge, denom });
  const isSplit = PARTIES.every((party) => receipt[party] === parts[party]);
  check(isSplit, `receipt ${number} has another split`);
  const { claim, entries, unattributed } = weightsOf(e, receipt);
  const own = { to: placeText(1n, modelId, 0n, 0n), amount: parts.model };
  const isDue = (due: Due): boolean => due.to === place && due.amount === amount;
  check([own, ...dues(entries, unattributed)].some(isDue), `receipt ${number} gives another amount`);
  const at = { channel: fixed(receipt.channel, 32), lane: Number(receipt.lane) };
  return { number, amount, ...at, before, ...charge, parts, claim };
}

/** What a receipt names by its attribution: with a claim, the places and weights of that claim's shares. */
function weightsOf(e: Evidence, receipt: Receipt) {
  if (receipt.attribution === 0n) return { claim: null, entries: [], unattributed: 1n };
  const name = fixed(receipt.attribution, 32);
  const bytes = e.attribution(name);
  const { kind, claim: id, unattributed, count } = fieldsOf(ATTRIBUTION, bytes.subarray(0, 19));
  check(kind === 36n && BigInt(bytes.length) === 19n + 22n * count, 'an attribution is malformed');
  const entries = Array.from({ length: Number(count) }, (_, i) => {
    const { place, weight } = fieldsOf(ENTRY, bytes.subarray(19 + 22 * i, 41 + 22 * i));
    return { to: fixed(place, 14), weight };
  });
  if (id === 0n) return { claim: null, entries, unattributed };
  const claim = deriveAttribution(e, id, receipt.modelId) ?? refuse(`claim ${id} does not hold`);
  const answer = rowOf(e, 'attribution', `02${fixed(id, 8)}`).bytes(3);
  check(toHex(answer) === fixed(receipt.answer, 32), `claim ${id} is about another answer`);
  const places = claim.shares.map(({ contribution, weight }) => {
    const found = rowOf(e, 'datanet', `07${fixed(contribution, 8)}`);
    return `${placeText(2n, found.uint(2), 0n, found.uint(12))}/${weight}`;
  });
  const stated = entries.map(({ to, weight }) => `${to}/${weight}`);
  const isClaims = places.toSorted().join() === stated.join() && claim.unattributed === unattributed;
  check(isClaims, `attribution ${name} is not its claim's`);
  return { claim, entries, unattributed };
}

// ------------------------------------------------------------------------------------------------- whole
// Proves all of this of a bundle, and that nothing in it is of no use.

/**
 * Derives everything that a bundle is about.
 * @throws Refused when anything of it does not lead to the trusted block, or is of no use to what it is about
 */
export function verifyBundle(bundled: string, trusted: TrustedBlock): readonly Derived[] {
  const bundle = parsed(bundled);
  check(isLike(bundle, SAMPLE) && bundle.form === BUNDLE_FORM, 'a bundle is of another form');
  check(bundleText(bundle) === bundled, 'a bundle has one text, and this is another');
  const { states, targets, claims, epochs, attributions } = bundle;
  const bytes = new Map(openStates(states, trusted));
  for (const each of claims) bytes.set(`claim ${hashOf(each)}`, fromHex(each));
  for (const each of attributions) bytes.set(`attribution ${hashOf(each)}`, fromHex(each));
  const parts = new Map(epochs.map((part) => [`row ${part.row} of epoch ${part.epoch}`, part]));
  const used = new Set<string>();
  const get = <T>(from: ReadonlyMap<string, T>, name: string): T => {
    used.add(name);
    return from.get(name) ?? refuse(`${name} is not shown`);
  };
  const e: Evidence = {
    height: trusted.height - 1n,
    row: (name) => get(bytes, rowName(name)),
    claim: (_, hash) => get(bytes, `claim ${hash}`),
    attribution: (hash) => get(bytes, `attribution ${hash}`),
    epochPart: (id, row) => get(parts, `row ${row} of epoch ${id}`),
  };
  const derived = targets.map((target) => derive(e, target));
  const isUsed = [...bytes.keys(), ...parts.keys()].every((name) => used.has(name));
  const areUsed = states.every(
    ({ stores }, i) => stores.length + i > 0 && stores.every(({ rows }) => rows.length > 0),
  );
  check(derived.length > 0 && isUsed && areUsed, 'a bundle has more than it needs');
  checkRising(targets.map((target) => JSON.stringify(target)));
  checkRising(claims);
  checkRising(epochs.map(({ epoch, row }) => `${epoch}/${row}`));
  checkRising(attributions);
  return derived;
}

function parsed(bundled: string): unknown {
  try {
    return JSON.parse(bundled);
  } catch {
    return refuse('a bundle is no JSON');
  }
}

const USAGE = 'node verify-payout.ts BUNDLE --height HEIGHT --hash BLOCK_HASH\n';

function main([file = '', ...options]: readonly string[]): void {
  const option = (name: string): string => options[options.indexOf(name) + 1] ?? '';
  const [height, hash] = [option('--height'), option('--hash').toLowerCase()];
  if (options.length !== 4 || !/^[1-9]\d{0,17} [0-9a-f]{64}$/.test(`${height} ${hash}`)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  try {
    const derived = verifyBundle(readFileSync(file, 'utf8'), { height: BigInt(height), hash });
    const readable = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);
    process.stdout.write(`${JSON.stringify(derived, readable, 2)}\n`);
  } catch (error) {
    process.stderr.write(`refused: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.main) main(process.argv.slice(2));
