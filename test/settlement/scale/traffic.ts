/**
 * Synthetic inferences over channels: for each a voucher that its payer signs and the gateway verifies, and a
 * receipt that the gateway signs and the payer checks.
 */
import { toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { PackedLeaves } from '../../../gateway/epochs/packed.ts';
import { encodeAttribution, NO_ATTRIBUTION } from '../../../modules/settlement/proof/attribution.ts';
import type { ModelTerms } from '../../../modules/settlement/proof/chain.ts';
import {
  RECEIPT_BYTES,
  type Receipt,
  type ReceiptParts,
  writeReceipt,
} from '../../../modules/settlement/proof/leaves.ts';
import type { ClaimRow } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { randomFrom } from '../../attribution/fidelity/digits.ts';
import { rowFor } from '../../support/channels.ts';
import { Dice } from '../epochs/dice.ts';
import { PaymentThreads } from './payment-threads.ts';
import { type Payment, type PaymentTally, voucherOf } from './payments.ts';
import type { ScaleChannel, ScaleWorld } from './world.ts';

/** Requests of a channel that may run at the same time. */
export const LANES_OF_CHANNEL = 2;
const MODELS = [1n, 2n, 3n];
const ATTRIBUTIONS_MAX = 5_000;
const ENTRIES_MAX = 4;
const TOKENS_IN = 4_000;
const TOKENS_OUT = 1_000;
/** Of a receipt's money, in basis points of the weights, is nobody's at most. */
const UNATTRIBUTED = 500;

/** A lane, and where it stands. */
interface LaneState {
  readonly channel: ScaleChannel;
  /** Of the channel. */
  readonly number: number;
  readonly lane: number;
  charged: bigint;
  /** What was charged before the last request. */
  base: bigint;
  claimed: bigint;
  resource: Uint8Array;
  modelId: bigint;
}

/** What traffic is made of. */
export interface TrafficOptions {
  readonly seed: number;
  readonly contributions: number;
  /** One inference in so many has its receipt signed and checked; all have their vouchers. */
  readonly receiptsEvery: number;
  /** That sign and verify. */
  readonly threads: number;
  readonly terms: (modelId: bigint) => ModelTerms | undefined;
}

/** See the file comment. */
export class Traffic {
  readonly #world: ScaleWorld;
  readonly #options: TrafficOptions;
  readonly #dice: Dice;
  readonly #lanes: readonly LaneState[];
  readonly #attributions = new Map<string, Uint8Array>();
  readonly #hashes: readonly Uint8Array[];
  readonly #payments: PaymentThreads;
  /** What all receipts so far give to each party: a count beside the trees. */
  totals: ReceiptParts = { platform: 0n, model: 0n, stakers: 0n, contributors: 0n };
  #made = 0;

  constructor(world: ScaleWorld, options: TrafficOptions) {
    this.#world = world;
    this.#options = options;
    this.#dice = new Dice(randomFrom(options.seed));
    this.#lanes = world.channels.flatMap((channel, number) =>
      Array.from({ length: LANES_OF_CHANNEL }, (_, lane): LaneState => {
        const money = { charged: 0n, base: 0n, claimed: 0n };
        return { channel, number, lane, ...money, resource: NO_ATTRIBUTION, modelId: 0n };
      }),
    );
    const count = Math.min(ATTRIBUTIONS_MAX, options.contributions);
    this.#hashes = Array.from({ length: count }, () => this.#makeAttribution());
    const ids = world.channels.map(({ id }) => id);
    const gateway = {
      chainId: world.chain.chainId,
      gateway: world.gateway.address,
      receiptsEvery: options.receiptsEvery,
    };
    this.#payments = new PaymentThreads(options.threads, { gateway, ids });
  }

  /** What was signed and verified. */
  get paid(): PaymentTally {
    return this.#payments.tally;
  }

  /** What each channel's lanes were charged altogether, by number. */
  charged(): readonly bigint[] {
    const sums = this.#world.channels.map(() => 0n);
    for (const { number, charged } of this.#lanes) sums[number] = (sums[number] ?? 0n) + charged;
    return sums;
  }

  /** Ends the threads. */
  stop(): Promise<void> {
    return this.#payments.stop();
  }

  /** The attribution that receipts name by this hash. */
  readonly attribution = (hash: Uint8Array): Uint8Array | undefined => this.#attributions.get(toHex(hash));

  /** So many inferences, one after another on lanes at random; threads sign and verify meanwhile. */
  serve(count: number): PackedLeaves {
    const bytes = new Uint8Array(count * RECEIPT_BYTES);
    for (let i = 0; i < count; i++) {
      const lane = this.#dice.pick(this.#lanes);
      const receipt = this.#infer(lane);
      this.#made++;
      writeReceipt(receipt, bytes, i * RECEIPT_BYTES);
      const leaf = bytes.subarray(i * RECEIPT_BYTES, (i + 1) * RECEIPT_BYTES);
      this.#payments.add({ ...paymentOf(lane), receipt: leaf });
    }
    return { bytes, width: RECEIPT_BYTES, count };
  }

  /**
   * Waits until all that was served is verified.
   * @throws Error when one is not right
   */
  verified(): Promise<void> {
    return this.#payments.finished();
  }

  /** The last voucher of every lane that was charged since the last claim. */
  claims(): readonly ClaimRow[] {
    return this.#lanes.flatMap((lane) => {
      if (lane.charged === lane.claimed) return [];
      lane.claimed = lane.charged;
      const { id, signer } = lane.channel;
      const voucher = voucherOf(paymentOf(lane), id);
      return [rowFor(voucher, { signer, chainId: this.#world.chain.chainId })];
    });
  }

  #infer(lane: LaneState): Receipt {
    const modelId = this.#dice.pick(MODELS);
    const terms = this.#options.terms(modelId);
    if (terms === undefined) throw new Error(`there is no model ${modelId}`);
    const [tokensIn, tokensOut] = [this.#dice.below(TOKENS_IN), this.#dice.below(TOKENS_OUT)];
    const { fee, parts } = terms.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
    const attribution = this.#dice.chance(0.1) ? NO_ATTRIBUTION : this.#dice.pick(this.#hashes);
    const before = lane.charged;
    const requestHash = sha256(Buffer.from(`request ${this.#made}`));
    lane.base = before;
    lane.charged += fee;
    lane.resource = requestHash;
    lane.modelId = modelId;
    const { totals } = this;
    this.totals = {
      platform: totals.platform + parts.platform,
      model: totals.model + parts.model,
      stakers: totals.stakers + parts.stakers,
      contributors: totals.contributors + parts.contributors,
    };
    return {
      channel: lane.channel.id,
      lane: lane.lane,
      before,
      after: lane.charged,
      modelId,
      tokensIn,
      tokensOut,
      requestHash,
      responseHash: requestHash,
      attribution,
      parts,
    };
  }

  /** Some neighbouring contributions, as the models' owner may state them. */
  #makeAttribution(): Uint8Array {
    const { contributions } = this.#options;
    const first = this.#dice.below(contributions);
    const count = Math.min(this.#dice.between(1, ENTRIES_MAX), contributions - first);
    const entries = Array.from({ length: count }, (_, k) => ({
      place: { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: first + k },
      weight: BigInt(this.#dice.between(1, 9_999)),
    }));
    const unattributed = BigInt(this.#dice.below(UNATTRIBUTED));
    const bytes = encodeAttribution({ claimId: 0n, entries, unattributed });
    const hash = sha256(bytes);
    this.#attributions.set(toHex(hash), bytes);
    return hash;
  }
}

/** Of the lane's last request. */
function paymentOf({ number, lane, charged, base, resource, modelId }: LaneState): Payment {
  return { channel: number, lane, cumulative: charged, ceiling: charged - base, modelId, resource };
}
