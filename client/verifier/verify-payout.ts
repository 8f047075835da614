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
  Parts,
  ProvedPair,
  ProvedRow,
  ProvedState,
  ProvedStore,
  QuotedText,
  RowName,
  Rows,
  Run,
  Target,
  TrustedBlock,
} from './types.ts';

type Bytes = Uint8Array;

/** What a bundle does not show, or shows wrongly. */
export class Refused extends Error {}

/** A row of the store that a derivation needs and nobody has shown. */
export class MissingRow extends Refused {
  readonly at: RowName;
  constructor(at: RowName) {
    super(`the row ${at.key} of ${at.store} after block ${at.height} is not shown`);
    this.at = at;
  }
}

/** A claim of attribution that a derivation needs and nobody has shown. */
export class MissingClaim extends Refused {
  readonly id: bigint;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly hash: string;
  constructor(id: bigint, hash: string) {
    super(`claim ${id}, whose SHA-256 is ${hash}, is not shown`);
    this.id = id;
    this.hash = hash;
  }
}

function refuse(what: string): never {
  throw new Refused(what);
}

function check(holds: boolean, what: string): asserts holds {
  if (!holds) refuse(what);
}

// ------------------------------------------------------------------------------------------------- bundle

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

/** Whether it has the members of the sample in their order, with values of the same kinds; a pair may be null. */
function isLike<T>(value: unknown, sample: T): value is T {
  if (value === null || typeof value !== 'object' || typeof sample !== 'object' || sample === null)
    return value === null
      ? sample === PAIR
      : typeof value === typeof sample &&
          (typeof value !== 'number' || (Number.isSafeInteger(value) && value >= 0));
  if (Array.isArray(sample)) return Array.isArray(value) && value.every((each) => isLike(each, sample[0]));
  const members = Object.entries(sample);
  return (
    Object.keys(value).join() === members.map(([name]) => name).join() &&
    members.every(([name, each]) => isLike(Reflect.get(value, name), each))
  );
}

// -------------------------------------------------------------------------------------------------- bytes

const fromHex = (digits: string): Bytes => {
  check(/^([0-9a-f]{2})*$/.test(digits), 'bytes are not in hexadecimal');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
};
const toHex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');
const sha256 = (...parts: readonly Bytes[]): Bytes => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
};
const same = (a: Bytes, b: Bytes): boolean => Buffer.compare(a, b) === 0;
const utf8 = (bytes: Bytes): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
const NOTHING = new Uint8Array(0);
const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** A number of so many bytes, big-endian. */
function fixed(value: bigint, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
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
    return utf8(this.bytes(number));
  }
  /** Of decimal digits. */
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
    for (let at = 0; at < bytes.length; ) {
      const [value, next] = readVarint(bytes, at);
      values.push(value);
      at = next;
    }
    return values;
  }
}

function decimal(digits: string): bigint {
  check(/^(0|[1-9]\d{0,119})$/.test(digits), `"${digits.slice(0, 40)}" is no number`);
  return BigInt(digits);
}

// --------------------------------------------------------------------------------- headers, rows of states

/**
 * What leads from the leaves from `first` up to `end` to the root of a tree of `total` (RFC 6962): a node has to its
 * left as many leaves as the largest power of two below their number. `other` is asked, left to right, for nodes over
 * none of these leaves.
 */
function rootOf<T>(
  { first, end, total }: { readonly first: number; readonly end: number; readonly total: number },
  { leaf, node, other }: { leaf(at: number): T; node(left: T, right: T): T; other(): T },
): T {
  const walk = (from: number, to: number): T => {
    if (to <= first || from >= end) return other();
    if (to - from === 1) return leaf(from);
    let middle = 1;
    while (middle * 2 < to - from) middle *= 2;
    const left = walk(from, from + middle);
    return node(left, walk(from + middle, to));
  };
  return walk(0, total);
}

/** What has no order of its own stands in that of its text, each once. */
function checkRising(texts: readonly string[]): void {
  check(
    texts.every((each, i) => i === 0 || (texts[i - 1] ?? '') < each),
    'a list does not rise, or has something twice',
  );
}

/** The rows that a bundle shows. @throws Refused unless all of them lead to the trusted block */
function openStates(
  states: readonly ProvedState[],
  trusted: TrustedBlock,
): ReadonlyMap<string, Bytes | null> {
  const rows = new Map<string, Bytes | null>();
  let expected = fromHex(trusted.hash);
  let height = trusted.height;
  for (const { header, stores } of states.toReversed()) {
    check(header.length === 14, 'a header has not 14 fields');
    const fieldAt = (i: number): Bytes => fromHex(header[i] ?? '');
    const field = (i: number): Message => new Message(fieldAt(i));
    const root = rootOf(
      { first: 0, end: 14, total: 14 },
      {
        leaf: (i) => sha256(LEAF, fieldAt(i)),
        node: (left, right) => sha256(INNER, left, right),
        other: () => NOTHING,
      },
    );
    check(same(root, expected), `the header of ${height} is not that of the trusted chain`);
    check(field(2).uint(1) === height, `a header is not of height ${height}`);
    const appHash = field(10).bytes(1);
    // The app hash of a header is that of the state after the block before it.
    height--;
    checkRising(stores.map(({ name }) => name));
    for (const each of stores) openStore(each, { height, appHash, rows });
    expected = field(4).bytes(1);
  }
  return rows;
}

function openStore(
  { name, root, path, rows }: ProvedStore,
  to: { readonly height: bigint; readonly appHash: Bytes; readonly rows: Map<string, Bytes | null> },
): void {
  const key = new TextEncoder().encode(name);
  const leaf = [LEAF, varint(key.length), key, varint(32), sha256(fromHex(root))];
  const steps = path.map((step) => stepOf(step));
  for (const { prefix, suffix } of steps)
    check(
      prefix[0] === 1 && prefix.length + suffix.length === 33 && suffix.length % 32 === 0,
      `the path of store ${name} is malformed`,
    );
  check(same(climb(sha256(...leaf), steps), to.appHash), `store ${name} is not in the app hash`);
  checkRising(rows.map((each) => each.key));
  for (const each of rows) {
    const id = rowId({ height: to.height, store: name, key: each.key });
    to.rows.set(id, openRow(each, fromHex(root)));
  }
}

function rowId({ height, store: name, key }: RowName): string {
  return `${height}/${name}/${key}`;
}

interface Step {
  readonly prefix: Bytes;
  readonly suffix: Bytes;
}

function stepOf([prefix, suffix, ...rest]: readonly string[]): Step {
  check(prefix !== undefined && suffix !== undefined && rest.length === 0, 'a step has not two sides');
  return { prefix: fromHex(prefix), suffix: fromHex(suffix) };
}

function climb(from: Bytes, path: readonly Step[]): Bytes {
  return path.reduce((child, { prefix, suffix }) => sha256(prefix, child, suffix), from);
}

/** The value of a row, or null when its neighbours show that it is not there. */
function openRow({ key, found, left, right }: ProvedRow, root: Bytes): Bytes | null {
  if (found !== null) {
    check(found.key === key && left === null && right === null, 'a row is another');
    openPair(found, root);
    return fromHex(found.value);
  }
  const [below, above] = [left && openPair(left, root), right && openPair(right, root)];
  check(left === null || left.key < key, 'a row is not behind its left neighbour');
  check(right === null || key < right.key, 'a row is not before its right neighbour');
  check(below !== null || above !== null, 'an absence has no neighbour');
  // Down from the root both go the same way, then part left and right, then keep to the inner side.
  let [i, j] = [below?.length ?? 0, above?.length ?? 0];
  if (below !== null && above !== null) {
    do [i, j] = [i - 1, j - 1];
    while (below[i] === above[j] && i > 0 && j > 0);
    check(below[i] === 'left' && above[j] === 'right', 'two rows are not neighbours');
  }
  check(below?.slice(0, i).every((side) => side === 'right') ?? true, 'a left neighbour is not the last');
  check(above?.slice(0, j).every((side) => side === 'left') ?? true, 'a right neighbour is not the first');
  return null;
}

/** On which side each node of a pair's path is, from the leaf: an IAVL tree's, whose nodes name their place. */
function openPair({ key, value, prefix, path }: ProvedPair, root: Bytes): readonly ('left' | 'right')[] {
  const steps = path.map((step) => stepOf(step));
  const [head, bytes, content] = [fromHex(prefix), fromHex(key), fromHex(value)];
  // Height 0 and size 1, doubled (zig-zag), then the version: no node begins so.
  check(head[0] === 0 && head[1] === 2 && endOfNumbers(head) === head.length, 'a leaf is malformed');
  check(content.length > 0, 'a row is empty');
  const leaf = sha256(head, varint(bytes.length), bytes, varint(32), sha256(content));
  check(same(climb(leaf, steps), root), `the row ${key} is not in its store`);
  return steps.map(({ prefix: before, suffix }) => {
    const end = endOfNumbers(before);
    check(before[0] !== 0 && before[end] === 32, 'a node is malformed');
    const isLeft = before.length === end + 1 && suffix.length === 33 && suffix[0] === 32;
    const isRight = before.length === end + 34 && before[end + 33] === 32 && suffix.length === 0;
    check(isLeft || isRight, 'a node is malformed');
    return isLeft ? 'left' : 'right';
  });
}

/** Behind height, size and version. */
function endOfNumbers(bytes: Bytes): number {
  let at = 0;
  for (let i = 0; i < 3; i++) [, at] = readVarint(bytes, at);
  return at;
}

// -------------------------------------------------------------------------------------------- derivations

const SCALE = 1n << 64n;
const BPS = 10_000n;
const BYTE_WEIGHT = 720_720n;
const DATANET = 1n;
const MODEL = 2n;
const PARTIES = ['', 'platform', 'model', 'stakers', 'contributors'] as const;

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** By largest remainders; of equal ones the first gains. */
function divide(amount: bigint, shares: readonly Share[]): readonly Due[] {
  const whole = sum(shares.map(({ weight }) => weight));
  check(whole > 0n, 'nothing to divide by');
  const dues = shares.map(({ to, weight }, i) => {
    const exact = amount * weight;
    return { to, i, floor: exact / whole, rest: exact % whole };
  });
  const over = Number(amount - sum(dues.map(({ floor }) => floor)));
  const gains = new Set(
    dues.toSorted((a, b) => (a.rest === b.rest ? a.i - b.i : a.rest > b.rest ? -1 : 1)).slice(0, over),
  );
  return dues.map((due) => ({ to: due.to, amount: due.floor + (gains.has(due) ? 1n : 0n) }));
}

function rowOf(e: Evidence, name: string, key: string, height: bigint = e.height): Message {
  const value = e.rows.get({ height, store: name, key }) ?? refuse(`${name} has no row ${key}`);
  return new Message(value);
}

function numberAt(e: Evidence, name: string, key: string, height: bigint = e.height): bigint {
  const value = e.rows.get({ height, store: name, key });
  return value === undefined ? 0n : BigInt(`0x${toHex(value)}`);
}

/** Derives one target. @throws Refused */
export function derive(e: Evidence, wanted: Target): Derived {
  if (wanted.kind === 'claim') return deriveClaim(e, wanted);
  const { kind, pool, slot, denom, credits } = wanted;
  check(kind === 'receipt', 'a target of no kind');
  check(
    [...pool, ...credits, slot, denom].join('') === '' && pool.length + credits.length === 0,
    'a receipt has no slot',
  );
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
  const debtKey = `05${key}${toHex(new TextEncoder().encode(denom))}`;
  const [old, now] = [debtAt(e, debtKey, before), debtAt(e, debtKey, e.height)];
  const row = rowOf(e, 'pools', `04${key}`, before);
  const present = numberAt(e, 'pools', `02${pool}00000000${fixed(slot, 8)}`, before);
  const weight = present || weightOf(e, id, slot);
  const lastBefore = numberAt(e, 'pools', '0c', before);
  let owed = old.owed + present * (now.seen - old.seen);
  let left = now.owed;
  let earned = 0n;
  let last = old.paid;
  const found: DerivedCredit[] = [];
  for (const each of credits) {
    const credit = rowOf(e, 'pools', `0d${fixed(decimal(each), 8)}`);
    const [at, place, per] = [credit.uint(1), credit.message(3), credit.amount(5)];
    const isWhole = credit.uint(10) === 1n;
    check(at > last, 'credits do not rise');
    last = at;
    check(
      sameFields(credit.message(2), id) && credit.message(4).text(1) === denom,
      'a credit of another pool',
    );
    const level = place.uint(1);
    check(level <= levels && place.uint(2) === slot >> level, `credit ${at} is not over the slot`);
    const prefix = credit.uint(11);
    check(prefix === 0n || slot < prefix, `credit ${at} is for the slots below ${prefix}`);
    check(!isWhole || level === 0n, `credit ${at} is of no slot`);
    check(isWhole || at <= now.paid, `credit ${at} came behind the claim`);
    const weighed = at > row.uint(2) && (present > 0n || at <= row.uint(3));
    check(isWhole || weighed, `the slot weighed nothing when credit ${at} came`);
    const amount = credit.message(4).amount(2);
    const share = isWhole ? amount * SCALE : weight * per;
    if (isWhole && at > now.paid) left -= share;
    else if (isWhole && at > lastBefore) owed += share;
    if (at > now.paid) continue;
    earned += share;
    found.push({ id: at, height: credit.uint(6), amount, share, ...sourceOf(e, credit) });
  }
  check(left >= 0n && left < SCALE && (!isClosed || left === 0n), 'the slot was not paid in this block');
  const amount = (owed - left) / SCALE;
  check(amount > 0n && (isClosed || amount * SCALE === owed - left), 'the slot was not paid in this block');
  const carried = owed - earned;
  check(carried >= 0n && carried < (old.paid === 0n ? 1n : SCALE), 'credits are not what was paid');
  const name = `${decimal(kind) === DATANET ? 'datanet' : 'model'}/${subject}`;
  const at = { pool: name, slot, owner: row.text(1), denom, height: e.height };
  return { kind: 'claim', ...at, amount, weight, carried, left, credits: found };
}

function sameFields(message: Message, id: readonly string[]): boolean {
  return id.every((digits, i) => message.uint(i + 1) === decimal(digits));
}

function debtAt(
  e: Evidence,
  key: string,
  height: bigint,
): Readonly<Record<'seen' | 'owed' | 'paid', bigint>> {
  const debt = new Message(e.rows.get({ height, store: 'pools', key }) ?? NOTHING);
  return { seen: debt.amount(1), owed: debt.amount(2), paid: debt.uint(3) };
}

/** Of a slot that weighs nothing any more: its credits are of when it weighed its contribution's bytes. */
function weightOf(e: Evidence, [kind = '', subject = '']: readonly string[], slot: bigint): bigint {
  if (decimal(kind) !== DATANET) return 0n;
  return rowOf(e, 'datanet', `07${fixed(contributionAt(e, decimal(subject), slot), 8)}`).uint(5);
}

function contributionAt(e: Evidence, datanet: bigint, position: bigint): bigint {
  return numberAt(e, 'datanet', `10${fixed(datanet, 8)}${fixed(position, 8)}`);
}

/** The receipt or epoch of a credit, which has just this amount for just this place. */
function sourceOf(e: Evidence, credit: Message): Pick<DerivedCredit, 'receipt' | 'epoch'> {
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
    const fits = receipt.payouts.some((payout) => isOf(payout) && payout.amount === amount);
    check(fits, `receipt ${receipt.id} has no such payout`);
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

// ----------------------------------------------------------------------------------- fees, receipts, claims

interface Share {
  /** A place, or a contribution. */
  readonly to: string;
  readonly weight: bigint;
}

interface Due {
  readonly to: string;
  readonly amount: bigint;
}

interface Model {
  readonly denom: string;
  fee(tokensIn: bigint, tokensOut: bigint): bigint;
  parts(fee: bigint): Parts;
  /** Of the contributors' part: what is nobody's is divided by bytes among the positions of its snapshots. */
  dues(part: bigint, shares: readonly Share[], unattributed: bigint): readonly Due[];
}

function modelOf(e: Evidence, id: bigint): Model {
  const model = rowOf(e, 'models', `02${fixed(id, 8)}`);
  const [price, split] = [model.message(7), model.message(9)];
  // By Datanet and positions, which sort as text.
  const weights = new Map<string, bigint>();
  for (const snapshot of model.uints(6)) {
    const found = rowOf(e, 'datanet', `0d${fixed(snapshot, 8)}`);
    const prefix = placeText(2n, found.uint(2), 255n, found.uint(5));
    weights.set(prefix, (weights.get(prefix) ?? 0n) + found.uint(7));
  }
  const snapshots = [...weights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([to, weight]) => ({ to, weight }));
  return {
    denom: price.text(1),
    fee: (tokensIn, tokensOut) =>
      (tokensIn * price.amount(2) + tokensOut * price.amount(3) + 999n) / 1000n + price.amount(4),
    parts(fee) {
      const [platform = 0n, own = 0n, stakers = 0n, contributors = 0n] = [1, 2, 3, 4].map(
        (party) => (fee * split.uint(party)) / BPS,
      );
      const parts = { platform, model: own, stakers, contributors };
      const residual = PARTIES[Number(split.uint(5))] || refuse('a split has no residual party');
      parts[residual] += fee - platform - own - stakers - contributors;
      if (snapshots.length > 0) return parts;
      const { contributors: freed, ...rest } = { ...parts };
      const heir = residual === 'contributors' ? 'platform' : residual;
      return { ...rest, [heir]: rest[heir] + freed, contributors: 0n };
    },
    dues(part, shares, unattributed) {
      const named = divide(part, [...shares, { to: '', weight: unattributed }]);
      const rest = named.at(-1)?.amount ?? 0n;
      const dues = [...named.slice(0, -1), ...(snapshots.length > 0 ? divide(rest, snapshots) : [])];
      return dues.filter(({ amount }) => amount > 0n);
    },
  };
}

/** A receipt: fee, split and contributors' payouts are those that follow from model, usage and claim. */
function deriveReceipt(e: Evidence, id: bigint): DerivedReceipt {
  const receipt = rowOf(e, 'payments', `02${fixed(id, 8)}`);
  const model = modelOf(e, receipt.uint(3));
  const [tokensIn, tokensOut] = [receipt.uint(5), receipt.uint(6)];
  const [fee, denom] = [receipt.message(7).amount(2), receipt.message(7).text(1)];
  check(model.denom === denom && model.fee(tokensIn, tokensOut) === fee, `receipt ${id} has another fee`);
  const parts = model.parts(fee);
  const payouts = receipt.messages(9).map((payout) => ({
    party: PARTIES[Number(payout.uint(1))] || refuse('a payout of no party'),
    amount: payout.amount(3),
    recipient: payout.text(2),
    contribution: payout.uint(5),
    datanet: payout.uint(6),
    positions: payout.uint(8),
  }));
  for (const party of PARTIES.slice(1)) {
    const amounts = payouts.filter((payout) => payout.party === party).map(({ amount }) => amount);
    check(party === '' || sum(amounts) === parts[party], `receipt ${id} pays ${party} another amount`);
  }
  const claim = receipt.uint(10) > 0n ? deriveAttribution(e, receipt.uint(10), receipt.uint(3)) : null;
  const isHeld = receipt.messages(9).some((payout) => payout.uint(7) > 0n);
  if (!isHeld) {
    const shares = (claim?.shares ?? []).map(({ contribution, weight }) => ({
      to: `${contribution}`,
      weight,
    }));
    const dues = model.dues(parts.contributors, shares, claim === null ? 1n : claim.unattributed);
    const due = dues.map(({ to, amount }) => `${to}/${amount}`);
    const paid = payouts.filter(({ party }) => party === 'contributors').map(payeeText);
    check(due.join() === paid.join(), 'contributors are paid another part than theirs');
  }
  const usage = { model: receipt.uint(3), tokensIn, tokensOut };
  const at = { id, height: receipt.uint(11), tx: toHex(receipt.bytes(12)), payer: receipt.text(2) };
  return { ...at, ...usage, denom, fee, parts, payouts, claim };
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
  const text = toHex(claim.bytes(2));
  const bytes = e.claims.map(fromHex).find((each) => toHex(sha256(each)) === text);
  if (bytes === undefined) throw new MissingClaim(id, text);
  e.used(text);
  const quotes = new Message(bytes).messages(1).map((span) => quoteOf(e, span, claim));
  const isQuoted = rowOf(e, 'models', `02${fixed(model, 8)}`).uint(8) === 1n;
  if (isQuoted) checkCoverage(quotes, shares, (contribution) => ownerOf(e, contribution, shares));
  return { id, total, unattributed, shares, quotes };
}

/** The canonical contribution of its content, where that is paid. */
function ownerOf(e: Evidence, id: bigint, shares: DerivedClaim['shares']): bigint {
  const canonical = rowOf(e, 'datanet', `07${fixed(id, 8)}`).uint(13);
  return shares.some(({ contribution }) => contribution === canonical) ? canonical : id;
}

/** Each quoted byte of the answer counts once; what several hold is divided equally. */
function checkCoverage(
  quotes: readonly QuotedText[],
  shares: DerivedClaim['shares'],
  owner: (contribution: bigint) => bigint,
): void {
  const end = ({ answerOffset, length }: QuotedText): bigint => answerOffset + BigInt(length);
  const bounds = [...new Set(quotes.flatMap((quote) => [quote.answerOffset, end(quote)]))];
  bounds.sort((a, b) => (a < b ? -1 : 1));
  const weights = new Map<bigint, bigint>();
  for (const [i, from] of bounds.entries()) {
    const to = bounds[i + 1] ?? from;
    const over = quotes.filter((quote) => quote.answerOffset <= from && to <= end(quote));
    const owners = new Set(over.map(({ contribution }) => owner(contribution)));
    for (const each of owners)
      weights.set(each, (weights.get(each) ?? 0n) + ((to - from) * BYTE_WEIGHT) / BigInt(owners.size));
  }
  const isRight = shares.every(({ contribution, weight }) => weights.get(contribution) === weight);
  check(isRight && weights.size === shares.length, 'shares are not those of the quoted bytes');
}

/** A span's bytes, which lead to the root of their contribution, and to that of the answer where it is opened. */
function quoteOf(e: Evidence, span: Message, claim: Message): QuotedText {
  const [contribution, answerOffset, sourceOffset] = [span.uint(1), span.uint(2), span.uint(3)];
  const length = Number(span.uint(4));
  const source = rowOf(e, 'datanet', `07${fixed(contribution, 8)}`);
  const range = { offset: Number(sourceOffset), length };
  const bytes = openChunks(span.message(5), {
    root: source.bytes(4),
    size: Number(source.uint(5)),
    ...range,
  });
  if (span.all(6).length > 0) {
    const answer = {
      root: claim.bytes(3),
      size: Number(claim.uint(4)),
      offset: Number(answerOffset),
      length,
    };
    check(same(openChunks(span.message(6), answer), bytes), 'the answer says something else');
  }
  const buffer = Buffer.from(bytes);
  const text = buffer.equals(Buffer.from(buffer.toString())) ? buffer.toString() : toHex(bytes);
  return { contribution, contributor: source.text(3), answerOffset, sourceOffset, length, text };
}

/** Bytes of a content: the 256-byte chunks that hold them lead to its root. */
function openChunks(
  proof: Message,
  content: { readonly root: Bytes; readonly size: number; readonly offset: number; readonly length: number },
): Bytes {
  const { root, size, offset, length } = content;
  const [chunks, hashes] = [proof.all(1), proof.all(2)];
  const [first, total] = [Math.floor(offset / 256), Math.ceil(size / 256)];
  const end = first + chunks.length;
  check(
    length > 0 && offset + length <= size && end === Math.ceil((offset + length) / 256),
    'a span is outside',
  );
  const hash = hashes.values();
  const top = rootOf(
    { first, end, total },
    {
      leaf(at) {
        const chunk = chunks[at - first] ?? NOTHING;
        check(chunk.length === Math.min(256, size - at * 256), 'a chunk is not as long as it is');
        return sha256(LEAF, chunk);
      },
      node: (left, right) => sha256(INNER, left, right),
      other: () => hash.next().value ?? refuse('a span has too few hashes'),
    },
  );
  check(same(top, root) && hash.next().done === true, 'a span is not of its contribution');
  const start = offset - first * 256;
  return Uint8Array.from(Buffer.concat(chunks)).subarray(start, start + length);
}

// -------------------------------------------------------------------------------------------------- epochs

interface SumTree {
  readonly kind: number;
  readonly columns: number;
  readonly bytes: number;
  readonly firstSum: number;
}

/** First byte of leaves, sums of a node, length of a leaf and where its sums begin. */
const RECEIPTS: SumTree = { kind: 33, columns: 4, bytes: 195, firstSum: 163 };
const ALLOCATIONS: SumTree = { kind: 34, columns: 1, bytes: 27, firstSum: 19 };
const ENTITLEMENTS: SumTree = { kind: 35, columns: 1, bytes: 27, firstSum: 19 };

function intAt(bytes: Bytes, at: number, length: number): bigint {
  check(at + length <= bytes.length, 'a leaf or an opening is cut short');
  return BigInt(`0x${toHex(bytes.subarray(at, at + length))}`);
}

interface Node {
  readonly hash: Bytes;
  readonly sums: readonly bigint[];
}

function nodeBytes({ hash, sums }: Node): Bytes {
  return fromHex(toHex(hash) + sums.map((each) => fixed(each, 8)).join(''));
}

/** Leaves by their places. @throws Refused unless each run leads to the root, with all sums on the way right */
function openTree(tree: SumTree, runsOf: readonly Run[], committed: Message): ReadonlyMap<number, Bytes> {
  const { kind, columns, bytes, firstSum } = tree;
  const opened = new Map<number, Bytes>();
  const [root, total, sums] = [committed.bytes(1), Number(committed.uint(2)), committed.uints(3)];
  const sumsAt = (from: Bytes, at: number): bigint[] =>
    Array.from({ length: columns }, (_, i) => intAt(from, at + 8 * i, 8));
  let free = 0;
  for (const { from: first, leaves, siblings } of runsOf) {
    const [rest, end] = [fromHex(siblings), first + leaves.length];
    check(first >= free && end > first && end <= total, 'an opening is of no leaf, or of one again');
    free = end;
    let at = 0;
    const top = rootOf<Node>(
      { first, end, total },
      {
        leaf(from) {
          const leaf = fromHex(leaves[from - first] ?? '');
          check(leaf.length === bytes && leaf[0] === kind, 'a leaf is malformed');
          opened.set(from, leaf);
          return { hash: sha256(LEAF, leaf), sums: sumsAt(leaf, firstSum) };
        },
        node: (left, right) => ({
          hash: sha256(INNER, Uint8Array.of(kind), nodeBytes(left), nodeBytes(right)),
          sums: left.sums.map((each, i) => each + (right.sums[i] ?? 0n)),
        }),
        other() {
          const begin = at;
          at += 32 + 8 * columns;
          return { hash: rest.subarray(begin, begin + 32), sums: sumsAt(rest, begin + 32) };
        },
      },
    );
    check(at === rest.length && same(top.hash, root), 'an opening leads elsewhere');
    check(top.sums.join() === sums.join(), 'an opening has other sums');
  }
  return opened;
}

/** A place as it stands in leaves: kind, id, level, index. */
function placeText(kind: bigint, id: bigint, level: bigint, index: bigint): string {
  return fixed(kind, 1) + fixed(id, 8) + fixed(level, 1) + fixed(index, 4);
}

interface EpochRow {
  readonly place: string;
  readonly begin: number;
  readonly end: number;
  readonly amount: bigint;
}

/** A row that the epoch lists, or one of its entitlements, which count on behind these. */
function epochRow(commitment: Message, number: number, part: EpochPart): EpochRow {
  const rows = commitment.messages(3);
  const endOf = (i: number): number => Number(rows[i]?.uint(2) ?? 0n);
  const listed = rows[number];
  if (listed !== undefined) {
    const place = listed.message(1);
    const bytes = placeText(place.uint(1), place.uint(2), place.uint(3), place.uint(4));
    check(part.entitlements.length === 0, 'a listed row has no entitlement');
    return { place: bytes, begin: endOf(number - 1), end: endOf(number), amount: listed.uint(3) };
  }
  const opened = openTree(ENTITLEMENTS, part.entitlements, commitment.message(4));
  const index = number - rows.length;
  const leafAt = (i: number): Bytes => opened.get(i) ?? refuse('an entitlement is not shown');
  const [leaf, before] = [leafAt(index), index === 0 ? undefined : leafAt(index - 1)];
  check(opened.size === (before === undefined ? 1 : 2), 'an entitlement too many');
  const begin = before === undefined ? endOf(rows.length - 1) : Number(intAt(before, 15, 4));
  return {
    place: toHex(leaf.subarray(1, 15)),
    begin,
    end: Number(intAt(leaf, 15, 4)),
    amount: intAt(leaf, 19, 8),
  };
}

/** A row of an epoch that was paid, with the allocations behind it that are shown, and their receipts. */
function deriveEpoch(e: Evidence, id: bigint, number: number, places: readonly string[]): DerivedEpoch {
  const epoch = rowOf(e, 'settlement', `08${fixed(id, 8)}`);
  const commitment = epoch.message(5);
  const shownOf = (each: EpochPart): boolean => each.epoch === `${id}` && each.row === number;
  const part = e.epochs.find(shownOf) ?? refuse(`nothing is shown of row ${number} of epoch ${id}`);
  const { place, begin, end, amount } = epochRow(commitment, number, part);
  check(places.includes(place), `row ${number} of epoch ${id} is of another place`);
  check(epoch.uint(6) === 3n || epoch.uint(11) > BigInt(number), `row ${number} of epoch ${id} is not paid`);
  const allocations = openTree(ALLOCATIONS, part.allocations, commitment.message(2));
  const receipts = openTree(RECEIPTS, part.receipts, commitment.message(1));
  const shown = [...allocations].map(([index, leaf]) => {
    check(index >= begin && index < end, 'an allocation is outside of its row');
    check(toHex(leaf.subarray(1, 15)) === place, 'an allocation is of another place');
    const of = Number(intAt(leaf, 15, 4));
    const receipt = receipts.get(of) ?? refuse(`receipt ${of} of epoch ${id} is not shown`);
    return deriveAllocation(e, { number: of, place, amount: intAt(leaf, 19, 8) }, receipt, epoch.text(3));
  });
  check(new Set(shown.map((each) => each.number)).size === receipts.size, 'a receipt too many');
  if (shown.length === end - begin)
    check(sum(shown.map((each) => each.amount)) === amount, 'a row is another sum');
  e.used(`${id}/${number}`);
  return { id, row: number, gateway: epoch.text(2), amount, count: end - begin, shown };
}

/** An allocation is what its place gets of its receipt, by the receipt's model and attribution. */
function deriveAllocation(
  e: Evidence,
  { number, place, amount }: { readonly number: number; readonly place: string; readonly amount: bigint },
  leaf: Bytes,
  denom: string,
): DerivedAllocation {
  const [before, after] = [intAt(leaf, 35, 8), intAt(leaf, 43, 8)];
  const [modelId, tokensIn, tokensOut] = [intAt(leaf, 51, 8), intAt(leaf, 59, 4), intAt(leaf, 63, 4)];
  const model = modelOf(e, modelId);
  const fee = after - before;
  check(model.denom === denom && model.fee(tokensIn, tokensOut) === fee, `receipt ${number} has another fee`);
  const parts = model.parts(fee);
  const order = [parts.platform, parts.model, parts.stakers, parts.contributors];
  check(
    order.every((part, i) => part === intAt(leaf, 163 + 8 * i, 8)),
    `receipt ${number} has another split`,
  );
  const { claim, entries, unattributed } = weightsOf(e, leaf, modelId);
  const own = { to: placeText(1n, modelId, 0n, 0n), amount: parts.model };
  const dues = [own, ...model.dues(parts.contributors, entries, unattributed)];
  check(
    dues.some((due) => due.to === place && due.amount === amount),
    `receipt ${number} gives another amount`,
  );
  const at = { channel: toHex(leaf.subarray(1, 33)), lane: Number(intAt(leaf, 33, 2)) };
  return { number, amount, ...at, model: modelId, tokensIn, tokensOut, fee, parts, claim };
}

/** What a receipt names by its attribution: with a claim, the places and weights of that claim's shares. */
function weightsOf(
  e: Evidence,
  leaf: Bytes,
  modelId: bigint,
): {
  readonly claim: DerivedClaim | null;
  readonly entries: readonly Share[];
  readonly unattributed: bigint;
} {
  const name = toHex(leaf.subarray(131, 163));
  if (/^0*$/.test(name)) return { claim: null, entries: [], unattributed: 1n };
  const bytes = e.attributions.map(fromHex).find((each) => toHex(sha256(each)) === name);
  if (bytes === undefined) return refuse(`attribution ${name} is not shown`);
  e.used(name);
  const count = Number(intAt(bytes, 17, 2));
  check(bytes[0] === 36 && bytes.length === 19 + 22 * count, 'an attribution is malformed');
  const [claimId, unattributed] = [intAt(bytes, 1, 8), intAt(bytes, 9, 8)];
  const entries = Array.from({ length: count }, (_, i) => ({
    to: toHex(bytes.subarray(19 + 22 * i, 33 + 22 * i)),
    weight: intAt(bytes, 33 + 22 * i, 8),
  }));
  if (claimId === 0n) return { claim: null, entries, unattributed };
  const claim = deriveAttribution(e, claimId, modelId) ?? refuse(`claim ${claimId} does not hold`);
  const answer = rowOf(e, 'attribution', `02${fixed(claimId, 8)}`).bytes(3);
  check(same(answer, leaf.subarray(99, 131)), `claim ${claimId} is about another answer`);
  const places = claim.shares.map(({ contribution, weight }) => {
    const found = rowOf(e, 'datanet', `07${fixed(contribution, 8)}`);
    return `${placeText(2n, found.uint(2), 0n, found.uint(12))}/${weight}`;
  });
  const stated = entries.map((entry) => `${entry.to}/${entry.weight}`);
  check(places.toSorted().join() === stated.join(), `attribution ${name} is not its claim's`);
  check(claim.unattributed === unattributed, `attribution ${name} is not its claim's`);
  return { claim, entries, unattributed };
}

// ---------------------------------------------------------------------------------------------------- whole

/**
 * Derives everything that a bundle is about.
 * @throws Refused when anything of it does not lead to the trusted block, or is of no use to what it is about
 */
export function verifyBundle(bundled: string, trusted: TrustedBlock): readonly Derived[] {
  const bundle = parsed(bundled);
  check(isLike(bundle, SAMPLE) && bundle.form === BUNDLE_FORM, 'a bundle is of another form');
  check(bundleText(bundle) === bundled, 'a bundle has one text, and this is another');
  const shown = openStates(bundle.states, trusted);
  const used = new Set<string>();
  const rows: Rows = {
    get(name) {
      const value = shown.get(rowId(name));
      if (value === undefined) throw new MissingRow(name);
      used.add(rowId(name));
      return value ?? undefined;
    },
  };
  const { claims, epochs, attributions } = bundle;
  const height = trusted.height - 1n;
  const e: Evidence = { rows, height, claims, epochs, attributions, used: (what) => used.add(what) };
  const derived = bundle.targets.map((each) => derive(e, each));
  const hashes = [...claims, ...attributions].map((each) => toHex(sha256(fromHex(each))));
  const needed = [...shown.keys(), ...hashes, ...epochs.map(({ epoch, row: at }) => `${epoch}/${at}`)];
  check(derived.length > 0 && needed.every((each) => used.has(each)), 'a bundle has more than it needs');
  checkRising(bundle.targets.map((each) => JSON.stringify(each)));
  checkRising(claims);
  checkRising(epochs.map(({ epoch, row: at }) => `${epoch}/${at}`));
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

function main([file, ...options]: readonly string[]): void {
  const option = (name: string): string => options[options.indexOf(name) + 1] ?? '';
  const [height, hash] = [option('--height'), option('--hash').toLowerCase()];
  if (
    file === undefined ||
    options.length !== 4 ||
    !/^[1-9]\d{0,17}$/.test(height) ||
    !/^[0-9a-f]{64}$/.test(hash)
  ) {
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
