/** `--only epochs`: an epoch of a million receipts: building it, judging it, bytes and time of proofs. */
import { toHex } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256, sha256Into } from '../../core/hash.ts';
import { buildEpoch } from '../../gateway/epochs/build-epoch.ts';
import { allocationsOf, proveAllocation } from '../../gateway/epochs/explain.ts';
import { findEpochFraud } from '../../gateway/epochs/find-fraud.ts';
import { openEpochFraud } from '../../gateway/epochs/open-fraud.ts';
import type { PublishedEpoch } from '../../gateway/epochs/published.ts';
import type { PackedLeaves } from '../../gateway/epochs/packed.ts';
import { inferenceFee, splitFee } from '../../modules/payments/fee.ts';
import { encodeAttribution } from '../../modules/settlement/proof/attribution.ts';
import type { EpochChain, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { checkEpoch } from '../../modules/settlement/proof/epoch.ts';
import { verifyEpochFraud } from '../../modules/settlement/proof/fraud.ts';
import { verifyAllocation } from '../../modules/settlement/proof/inclusion.ts';
import {
  ALLOCATION_BYTES,
  RECEIPT_BYTES,
  type Receipt,
  writeReceipt,
} from '../../modules/settlement/proof/leaves.ts';
import { nodeBytes } from '../../modules/settlement/proof/sum-tree.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import {
  AllocationProof,
  EpochFraud,
  EpochRule,
  EpochTree,
  PlaceKind,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { randomFrom } from '../attribution/fidelity/digits.ts';
import { Dice } from '../settlement/epochs/dice.ts';
import { percentile } from './percentile.ts';
import { megabytes, type Report } from './report.ts';

const RECEIPTS = [10_000, 1_000_000];
const CHANNELS = 1_000;
const MODELS = 16;
const ATTRIBUTIONS = 2_000;
const ENTRIES = 3;
/** Of the log that the model's snapshot is of. */
const POSITIONS = 1_000_000;
const ROWS_MAX = 256;
const SAMPLES = 400;

const POLICY = {
  platformBps: 1_000,
  modelBps: 2_000,
  stakersBps: 2_000,
  contributorsBps: 5_000,
  residual: Party.PARTY_PLATFORM,
};

const TERMS: ModelTerms = {
  denom: 'uopen',
  quote(usage) {
    const fee = inferenceFee({ inPer1000: 300n, outPer1000: 900n, perCall: 50n }, usage);
    return { fee, parts: splitFee(fee, POLICY) };
  },
  datanets: [{ datanetId: 1n, positions: BigInt(POSITIONS), weight: 1n }],
  statedBps: 10_000,
};

export function reportEpochs(report: Report): void {
  const { row, note } = report;
  const dice = new Dice(randomFrom(1));
  for (const receipts of RECEIPTS) {
    const made = makeReceipts(dice, receipts);
    note(`${receipts} receipts of ${CHANNELS} channels, attributed to ${ENTRIES} contributions each`);
    const { epoch, seconds } = reportBuild(report, made);
    row('machine/hashes', { receipts }, bareHashing(epoch, seconds));
    const cpu = process.cpuUsage();
    const [fraud, judgeMs] = timed(() => findEpochFraud(epoch, made.chain));
    const judgeCpu = processors(cpu);
    if (fraud !== undefined) throw new Error(`an honest epoch is accused of rule ${fraud.rule}`);
    checkEpoch(epoch.commitment, made.claimed);
    const judged = `${(judgeMs / 1_000).toFixed(2)} s (${judgeCpu}): every leaf, receipt and allocation`;
    row('epochs/judge', { receipts }, judged);
    reportExplain(report, epoch);
    reportProofs(report, { epoch, chain: made.chain, dice, receipts });
  }
}

function reportBuild(
  { row }: Report,
  made: MadeReceipts,
): { readonly epoch: PublishedEpoch; readonly seconds: number } {
  const before = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const [epoch, ms] = timed(() => buildEpoch({ ...made, rowsMax: ROWS_MAX }));
  const built = processors(cpu);
  const grown = process.memoryUsage().rss - before;
  const { receipts, allocations, entitlements } = epoch.commitment;
  const seconds = ms / 1_000;
  const rate = (count: number): string => `${Math.round(count / seconds)}/s`;
  row(
    'epochs/build',
    { receipts: receipts.leaves },
    `${seconds.toFixed(2)} s (${built}), ` +
      `${rate(receipts.leaves)} receipts, ${rate(allocations.leaves)} of ` +
      `${allocations.leaves} allocations; ${megabytes(grown)} MB more than before, of which leaves ` +
      `${megabytes(bytesOfLeaves(epoch))}; ${entitlements.leaves} entitlements`,
  );
  return { epoch, seconds };
}

/** What of the processors was used since; on a busy machine less than the time that passed. */
function processors(since: NodeJS.CpuUsage): string {
  const { user, system } = process.cpuUsage(since);
  return `${((user + system) / 1e6).toFixed(2)} s of processors`;
}

function bytesOfLeaves({ commitment: { receipts, allocations, entitlements } }: PublishedEpoch): number {
  return receipts.leaves * RECEIPT_BYTES + (allocations.leaves + entitlements.leaves) * ALLOCATION_BYTES;
}

/** As many hashes of as many bytes as the trees have, of one input each over and over. */
function bareHashing({ receipts, allocations, entitlements }: PublishedEpoch, seconds: number): string {
  let hashes = 0;
  const [, ms] = timed(() => {
    for (const { of, tree } of [receipts, allocations, entitlements]) {
      const leaf = 1 + (of.columns === 1 ? ALLOCATION_BYTES : RECEIPT_BYTES);
      hashes += 2 * tree.leaves - 1;
      hashOver(leaf, tree.leaves);
      hashOver(2 + 2 * nodeBytes(of), tree.leaves - 1);
    }
  });
  const part = Math.round((100 * ms) / 1_000 / seconds);
  return `${(ms / 1_000).toFixed(2)} s for the ${hashes} hashes alone, ${part} % of the time to build`;
}

function hashOver(bytes: number, times: number): void {
  const [input, out] = [Buffer.alloc(bytes), Buffer.alloc(32)];
  for (let i = 0; i < times; i++) sha256Into(input, out, 0);
}

/** The place with most receipts: all of them, and all of their proofs. */
function reportExplain({ row }: Report, epoch: PublishedEpoch): void {
  const { receipts, rows } = epoch.commitment;
  let [longest, most, end] = [0, 0, 0];
  for (const [i, one] of rows.entries()) {
    if (one.end - end > most) [longest, most] = [i, one.end - end];
    end = one.end;
  }
  const place = defined(rows[longest], 'a row').place;
  const [found, ms] = timed(() => [...allocationsOf(epoch, place)]);
  const rate = Math.round((1_000 * found.length) / ms);
  row('epochs/explain', { receipts: receipts.leaves }, `${found.length} receipts of one place, ${rate}/s`);
}

interface Proved {
  readonly epoch: PublishedEpoch;
  readonly chain: EpochChain;
  readonly dice: Dice;
  readonly receipts: number;
}

/** Each rule at random places, with true openings: the check does all its work, and refuses. */
function reportProofs({ row }: Report, { epoch, chain, dice, receipts }: Proved): void {
  const on = { epoch: epoch.commitment, chain };
  const { allocations, entitlements, rows } = epoch.commitment;
  const places: readonly (readonly [string, EpochRule, number])[] = [
    ['sum', EpochRule.EPOCH_RULE_SUM, receipts / 2],
    ['lane', EpochRule.EPOCH_RULE_LANE, receipts],
    ['split', EpochRule.EPOCH_RULE_SPLIT, receipts],
    ['attribution', EpochRule.EPOCH_RULE_ATTRIBUTION, receipts],
    ['order', EpochRule.EPOCH_RULE_ORDER, allocations.leaves - 1],
    ['allocation', EpochRule.EPOCH_RULE_ALLOCATION, allocations.leaves],
    ['row', EpochRule.EPOCH_RULE_ROW, rows.length],
    ['entitlement', EpochRule.EPOCH_RULE_ENTITLEMENT, entitlements.leaves],
  ];
  for (const [name, rule, count] of places) {
    const node = rule === EpochRule.EPOCH_RULE_SUM ? { tree: EpochTree.EPOCH_TREE_RECEIPTS, level: 1 } : {};
    const frauds = Array.from({ length: SAMPLES }, () =>
      EpochFraud.encode(openEpochFraud(epoch, rule, { index: dice.below(count), ...node })),
    );
    const check = (bytes: Uint8Array): void => {
      try {
        verifyEpochFraud(on, EpochFraud.decode(bytes));
      } catch {
        return;
      }
      throw new Error(`an honest epoch is convicted by ${name}`);
    };
    row(`epochs/fraud/${name}`, { receipts }, shown(frauds, check));
  }
  const proofs = Array.from({ length: SAMPLES }, () =>
    AllocationProof.encode(proveAllocation(epoch, dice.below(allocations.leaves))),
  );
  const verify = (bytes: Uint8Array): void => {
    verifyAllocation(epoch.commitment, AllocationProof.decode(bytes));
  };
  row('epochs/inclusion', { receipts }, `${shown(proofs, verify)}: an allocation and its receipt`);
}

function shown(messages: readonly Uint8Array[], check: (bytes: Uint8Array) => void): string {
  for (const bytes of messages) check(bytes);
  const micros = messages.map((bytes) => 1_000 * timed(() => check(bytes))[1]);
  const most = Math.max(...messages.map(({ length }) => length));
  const [middle, late] = [percentile(micros, 0.5), percentile(micros, 0.99)];
  return `${most} B most, ${middle.toFixed(0)} us p50, ${late.toFixed(0)} us p99`;
}

interface MadeReceipts {
  readonly receipts: PackedLeaves;
  readonly attribution: (hash: Uint8Array) => Uint8Array | undefined;
  readonly chain: EpochChain;
  readonly claimed: bigint;
}

function makeReceipts(dice: Dice, count: number): MadeReceipts {
  const attributions = new Map<string, Uint8Array>();
  for (let i = 0; i < ATTRIBUTIONS; i++) {
    const first = dice.below(POSITIONS - ENTRIES);
    const entries = Array.from({ length: ENTRIES }, (_, k) => ({
      place: { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: first + k },
      weight: BigInt(dice.between(1, 9_999)),
    }));
    const bytes = encodeAttribution({ claimId: 0n, entries, unattributed: 500n });
    attributions.set(toHex(sha256(bytes)), bytes);
  }
  const hashes = [...attributions.values()].map((bytes) => sha256(bytes));
  const channels = Array.from({ length: CHANNELS }, () => dice.bytes(32));
  const charged = new Map<string, bigint>(channels.map((channel) => [toHex(channel), 0n]));
  const bytes = new Uint8Array(count * RECEIPT_BYTES);
  for (let i = 0; i < count; i++) {
    const channel = dice.pick(channels);
    const before = charged.get(toHex(channel)) ?? 0n;
    const receipt = makeReceipt(dice, { channel, before, attribution: dice.pick(hashes) });
    charged.set(toHex(channel), receipt.after);
    writeReceipt(receipt, bytes, i * RECEIPT_BYTES);
  }
  const chain: EpochChain = {
    denom: 'uopen',
    terms: (id) => (id <= BigInt(MODELS) ? TERMS : undefined),
    lane: (channel, lane) => (lane === 0 ? { from: 0n, to: charged.get(toHex(channel)) ?? 0n } : undefined),
    claim: () => undefined,
    holds: () => true,
    signed: () => false,
  };
  return {
    receipts: { bytes, width: RECEIPT_BYTES, count },
    attribution: (hash) => attributions.get(toHex(hash)),
    chain,
    claimed: [...charged.values()].reduce((sum, total) => sum + total, 0n),
  };
}

function makeReceipt(
  dice: Dice,
  { channel, before, attribution }: Pick<Receipt, 'channel' | 'before' | 'attribution'>,
): Receipt {
  const [tokensIn, tokensOut] = [dice.below(4_000), dice.below(1_000)];
  const { fee, parts } = TERMS.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
  const hash = sha256(Uint8Array.from([dice.below(256), dice.below(256), dice.below(256), dice.below(256)]));
  return {
    channel,
    lane: 0,
    before,
    after: before + fee,
    modelId: BigInt(dice.between(1, MODELS)),
    tokensIn,
    tokensOut,
    requestHash: hash,
    responseHash: hash,
    attribution,
    parts,
  };
}

function timed<T>(run: () => T): readonly [T, number] {
  const start = performance.now();
  const result = run();
  return [result, performance.now() - start];
}
