/** Small chains with models, Datanets, claims and lanes, and honest epochs on them. */
import { toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { buildEpoch } from '../../../gateway/epochs/build-epoch.ts';
import type { PublishedEpoch } from '../../../gateway/epochs/published.ts';
import {
  type Attribution,
  encodeAttribution,
  NO_ATTRIBUTION,
} from '../../../modules/settlement/proof/attribution.ts';
import type {
  ClaimedLane,
  EpochChain,
  FinalClaim,
  ModelTerms,
  WeightedPlace,
} from '../../../modules/settlement/proof/chain.ts';
import { encodeReceipt, type Receipt, RECEIPT_BYTES } from '../../../modules/settlement/proof/leaves.ts';
import { inferenceFee, splitFee } from '../../../modules/payments/fee.ts';
import { withoutContributors } from '../../../modules/payments/payouts.ts';
import { Party } from '../../../proto/gen/openledger/models/v1/models.ts';
import { type Place, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Dice } from './dice.ts';

/** What the gateway signs with here: whatever begins with it is signed. */
export const SIGNATURE: Uint8Array = sha256(Uint8Array.of(7));

export interface World {
  readonly chain: EpochChain;
  readonly receipts: readonly Receipt[];
  readonly attributions: ReadonlyMap<string, Uint8Array>;
  readonly rowsMax: number;
  readonly claimed: bigint;
  readonly epoch: PublishedEpoch;
}

/** Positions of each Datanet's log. */
const POSITIONS = 50;
const DATANETS = [1n, 2n, 3n];

export function position(datanetId: bigint, index: number): Place {
  return { kind: PlaceKind.PLACE_KIND_DATANET, id: datanetId, level: 0, index };
}

function modelTerms(dice: Dice, modelId: bigint): ModelTerms {
  const [platformBps, modelBps, stakersBps] = [dice.below(3000), dice.below(3000), dice.below(3000)];
  const contributorsBps = 10_000 - platformBps - modelBps - stakersBps;
  const residual = dice.pick([Party.PARTY_PLATFORM, Party.PARTY_MODEL, Party.PARTY_STAKERS]);
  const policy = { platformBps, modelBps, stakersBps, contributorsBps, residual };
  const perCall = BigInt(dice.between(1, 50));
  const rates = { inPer1000: BigInt(dice.below(900)), outPer1000: BigInt(dice.below(900)), perCall };
  const datanets = modelId === 1n ? [] : DATANETS.slice(0, dice.between(1, 3));
  return {
    denom: 'uopen',
    quote(usage) {
      const fee = inferenceFee(rates, usage);
      const parts = splitFee(fee, policy);
      return { fee, parts: datanets.length > 0 ? parts : withoutContributors(parts, residual) };
    },
    datanets: datanets.map((datanetId) => ({
      datanetId,
      positions: BigInt(dice.between(5, POSITIONS)),
      weight: BigInt(dice.between(1, 1000)),
    })),
    statedBps: modelId === 2n ? 4_000 : 0,
  };
}

export function entriesOf(dice: Dice, { datanets }: Pick<ModelTerms, 'datanets'>): readonly WeightedPlace[] {
  const { datanetId, positions } = dice.pick(datanets);
  const indices = new Set(Array.from({ length: dice.between(1, 5) }, () => dice.below(Number(positions))));
  return [...indices]
    .sort((a, b) => a - b)
    .map((index) => ({ place: position(datanetId, index), weight: BigInt(dice.between(1, 10_000)) }));
}

const MODELS = [1n, 2n, 3n, 4n];

/** A chain with some lanes claimed, and the epoch that a gateway states of them. */
export function makeWorld(dice: Dice, { receiptsMax = 40 }: { readonly receiptsMax?: number } = {}): World {
  const terms = new Map(MODELS.map((id) => [id, modelTerms(dice, id)]));
  const claims = new Map<bigint, FinalClaim>();
  for (let id = 1n; id <= 4n; id++) {
    const modelId = dice.pick(MODELS.slice(1));
    const entries = entriesOf(dice, terms.get(modelId) ?? { datanets: [] });
    const unattributed = BigInt(dice.below(5_000));
    claims.set(id, { modelId, answerRoot: dice.bytes(32), weights: { entries, unattributed } });
  }
  const attributions = new Map<string, Uint8Array>();
  const receipts = receiptsOf(dice, { terms, claims, attributions, receiptsMax });
  const lanes = new Map<string, ClaimedLane>();
  for (const { channel, lane, before, after } of receipts) {
    const from = lanes.get(`${toHex(channel)}/${lane}`)?.from ?? before;
    lanes.set(`${toHex(channel)}/${lane}`, { from, to: after });
  }
  const chain: EpochChain = {
    denom: 'uopen',
    terms: (id) => terms.get(id),
    lane: (channel, lane) => lanes.get(`${toHex(channel)}/${lane}`),
    claim: (id) => claims.get(id),
    holds: ({ id, index }) => DATANETS.includes(id) && index < POSITIONS,
    signed: (_, signature) => toHex(signature) === toHex(SIGNATURE),
  };
  const rowsMax = dice.pick([0, 1, 4, 1_000]);
  const claimed = receipts.reduce((sum, { before, after }) => sum + after - before, 0n);
  const epoch = epochOf({ receipts, attributions, chain, rowsMax });
  return { chain, receipts, attributions, rowsMax, claimed, epoch };
}

/** The epoch of receipts, honestly built. */
export function epochOf(
  world: Pick<World, 'receipts' | 'attributions' | 'chain' | 'rowsMax'>,
): PublishedEpoch {
  const { receipts, attributions, chain, rowsMax } = world;
  const bytes = new Uint8Array(receipts.length * RECEIPT_BYTES);
  for (const [i, receipt] of receipts.entries()) bytes.set(encodeReceipt(receipt), i * RECEIPT_BYTES);
  return buildEpoch({
    receipts: { bytes, width: RECEIPT_BYTES, count: receipts.length },
    attribution: (hash) => attributions.get(toHex(hash)),
    chain,
    rowsMax,
  });
}

interface ReceiptMaterial {
  readonly terms: ReadonlyMap<bigint, ModelTerms>;
  readonly claims: ReadonlyMap<bigint, FinalClaim>;
  readonly attributions: Map<string, Uint8Array>;
  readonly receiptsMax: number;
}

function receiptsOf(dice: Dice, material: ReceiptMaterial): readonly Receipt[] {
  const receipts: Receipt[] = [];
  const channels = Array.from({ length: dice.between(1, 4) }, () => dice.bytes(32));
  for (const channel of channels)
    for (let lane = 0; lane < dice.between(1, 3); lane++) {
      let charged = BigInt(dice.below(1_000));
      for (let i = dice.between(1, Math.max(1, material.receiptsMax / 6)); i > 0; i--) {
        const receipt = receiptOf(dice, material, { channel, lane, before: charged });
        charged = receipt.after;
        receipts.push(receipt);
      }
    }
  return receipts;
}

function receiptOf(
  dice: Dice,
  { terms, claims, attributions }: ReceiptMaterial,
  at: Pick<Receipt, 'channel' | 'lane' | 'before'>,
): Receipt {
  if (dice.chance(0.1)) return unserved(dice, at);
  const modelId = dice.pick(MODELS);
  const model = terms.get(modelId);
  if (model === undefined) throw new Error('no such model');
  const [tokensIn, tokensOut] = [dice.below(4) * 500, dice.below(4) * 777];
  const { fee, parts } = model.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
  const found = [...claims].filter(([, claim]) => claim.modelId === modelId);
  const named = found.length > 0 && dice.chance(0.6) ? dice.pick(found) : undefined;
  let attribution: Attribution | undefined;
  if (named !== undefined) attribution = { claimId: named[0], ...named[1].weights };
  else if (model.statedBps > 0 && dice.chance(0.5)) {
    const entries = entriesOf(dice, model);
    const stated = entries.reduce((sum, { weight }) => sum + weight, 0n);
    attribution = { claimId: 0n, entries, unattributed: (stated * 6n + 3n) / 4n };
  }
  const bytes = attribution && encodeAttribution(attribution);
  const hash = bytes === undefined ? NO_ATTRIBUTION : sha256(bytes);
  if (bytes !== undefined) attributions.set(toHex(hash), bytes);
  return {
    ...at,
    after: at.before + fee,
    modelId,
    tokensIn,
    tokensOut,
    requestHash: dice.bytes(32),
    responseHash: named?.[1].answerRoot ?? dice.bytes(32),
    attribution: hash,
    parts,
  };
}

/** Money that was claimed and nobody was served for. */
function unserved(dice: Dice, at: Pick<Receipt, 'channel' | 'lane' | 'before'>): Receipt {
  const fee = BigInt(dice.between(1, 99));
  return {
    ...at,
    after: at.before + fee,
    modelId: 0n,
    tokensIn: 0,
    tokensOut: 0,
    requestHash: dice.bytes(32),
    responseHash: dice.bytes(32),
    attribution: NO_ATTRIBUTION,
    parts: { platform: fee, model: 0n, stakers: 0n, contributors: 0n },
  };
}
