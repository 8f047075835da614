/** Fees of inferences by party, from the receipts that a range of blocks has written. */
import { equalBytes } from '../../core/bytes.ts';
import type { Event } from '../../framework/events.ts';
import { STORE_NAME } from '../../modules/payments/state.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { type Payout, Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { ChangeSet } from '../../store/change-set.ts';
import type { KVReader } from '../../store/kv.ts';
import { coinsFromString } from '../../framework/coins.ts';
import { attributeOf } from './ledger.ts';

/** Receipts in the store of payments: `modules/payments/README.md`. */
const RECEIPT_PREFIX = 2;

/** Who is paid for an inference, and by which payouts that is seen. The first that fits counts. */
const PARTIES: readonly { readonly name: string; readonly has: (payout: Payout) => boolean }[] = [
  { name: 'escrow', has: ({ claimId }) => claimId > 0n },
  { name: 'unattributed', has: ({ datanetId }) => datanetId > 0n },
  { name: 'platform', has: ({ party }) => party === Party.PARTY_PLATFORM },
  { name: 'model', has: ({ party }) => party === Party.PARTY_MODEL },
  { name: 'stakers', has: ({ party }) => party === Party.PARTY_STAKERS },
  { name: 'contributors', has: ({ party }) => party === Party.PARTY_CONTRIBUTORS },
];
/** What an event of a payment tells of its fee. */
const PAYMENT_EVENT = { type: 'pay_inference', fee: 'fee' } as const;

/** Fees of a denomination and who got them: `fee = Σ parties`. */
export interface InferenceFees {
  readonly denom: string;
  readonly receipts: number;
  readonly fee: bigint;
  /** By name of the party, each of them. `escrow` waits for a claim to be decided. */
  readonly parties: Readonly<Record<string, bigint>>;
}

/** What is wrong with a receipt. */
export interface ReceiptProblem {
  readonly receipt: bigint;
  readonly fee: bigint;
  readonly paid: bigint;
}

interface Sums {
  receipts: number;
  fee: bigint;
  readonly parties: Map<string, bigint>;
}

/** Sums of receipts. One that is written again, as when its claim is decided, replaces the one before. */
export class InferenceBook {
  readonly #sums = new Map<string, Sums>();

  /**
   * Takes the receipts that a block has written.
   * @param before the store of payments before the block
   * @returns the first receipt whose payouts are not its fee
   */
  record(changes: ChangeSet, before: Pick<KVReader, 'get'>): ReceiptProblem | undefined {
    for (const { key, value } of changes.stores.find(({ name }) => name === STORE_NAME)?.writes ?? []) {
      if (key[0] !== RECEIPT_PREFIX) continue;
      const old = before.get(key);
      if (value !== undefined && old !== undefined && equalBytes(value, old)) continue;
      if (old !== undefined) this.#add(Receipt.decode(old), -1n);
      if (value === undefined) continue;
      const receipt = Receipt.decode(value);
      this.#add(receipt, 1n);
      const fee = BigInt(receipt.fee.amount);
      const paid = receipt.payouts.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
      if (fee !== paid) return { receipt: receipt.id, fee, paid };
    }
    return undefined;
  }

  fees(): readonly InferenceFees[] {
    return [...this.#sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([denom, { receipts, fee, parties }]) => ({
        denom,
        receipts,
        fee,
        parties: Object.fromEntries(parties),
      }));
  }

  #add({ fee, payouts }: Receipt, sign: 1n | -1n): void {
    const sums = this.#sums.get(fee.denom) ?? { receipts: 0, fee: 0n, parties: noPayouts() };
    this.#sums.set(fee.denom, sums);
    sums.receipts += Number(sign);
    sums.fee += sign * BigInt(fee.amount);
    for (const payout of payouts) {
      const name = PARTIES.find(({ has }) => has(payout))?.name ?? `party ${payout.party}`;
      sums.parties.set(name, (sums.parties.get(name) ?? 0n) + sign * BigInt(payout.amount));
    }
  }
}

/** Every party in the order of the report, with nothing. */
function noPayouts(): Map<string, bigint> {
  const names = ['platform', 'model', 'stakers', 'contributors', 'unattributed', 'escrow'];
  return new Map(names.map((name) => [name, 0n]));
}

/** Fees that events of payments tell of, by denomination. */
export function paidFees(events: readonly Event[]): ReadonlyMap<string, bigint> {
  const fees = new Map<string, bigint>();
  for (const event of events)
    if (event.type === PAYMENT_EVENT.type)
      for (const { denom, amount } of coinsFromString(attributeOf(event, PAYMENT_EVENT.fee)))
        fees.set(denom, (fees.get(denom) ?? 0n) + amount);
  return fees;
}
