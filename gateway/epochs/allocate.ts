/**
 * What each place gets of right receipts: the allocations of an epoch in their order, and the rows over them.
 * Flat memory throughout: five allocations of each of a million receipts are no objects.
 */
import { assert, defined } from '../../core/errors.ts';
import { duesOf } from '../../modules/settlement/proof/attribution.ts';
import type { ModelTerms } from '../../modules/settlement/proof/chain.ts';
import {
  ALLOCATION_BYTES,
  AMOUNT_AT,
  decodeReceipt,
  NUMBER_AT,
  writeAllocation,
} from '../../modules/settlement/proof/leaves.ts';
import type { DeltaRow } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Attributions } from './attributions.ts';
import type { PackedLeaves } from './packed.ts';
import { PlaceNumbers } from './place-numbers.ts';
import type { LeafSource } from './sum-tree.ts';

/** What places get. */
export interface Allocated {
  /** In the order of places; of each place in the order of receipts. */
  readonly allocations: PackedLeaves;
  /** A row for each place, made when it is asked for. */
  readonly rows: { readonly count: number; readonly row: (index: number) => DeltaRow };
}

/** What amounts follow from. */
export interface AllocateFrom {
  /** In order. */
  readonly receipts: LeafSource;
  readonly attributions: Attributions;
  readonly chain: EpochTerms;
}

/** What of models decides who gets the parts of a receipt. */
export interface EpochTerms {
  /** Undefined when there is no such model. */
  terms(modelId: bigint): Pick<ModelTerms, 'datanets'> | undefined;
}

/**
 * @throws AssertionError when a receipt is malformed, or its attribution, or its model is not there
 * @throws NotServedError when its attribution is not there
 */
export function allocate(from: AllocateFrom): Allocated {
  const places = new PlaceNumbers();
  const records = recordsOf(from, places);
  const order = places.inOrder();
  const ends = endsOf(records, order);
  const amounts = new BigUint64Array(places.count);
  for (let i = 0; i < records.count; i++) {
    const place = records.places[i] ?? 0;
    amounts[place] = (amounts[place] ?? 0n) + (records.amounts[i] ?? 0n);
  }
  return {
    allocations: packed(records, { places, order, ends }),
    rows: {
      count: places.count,
      row(index) {
        const number = defined(order[index], 'row');
        return { place: places.place(number), end: ends[index] ?? 0, amount: amounts[number] ?? 0n };
      },
    },
  };
}

/** Allocations in the order of receipts, column by column. */
interface Records {
  count: number;
  /** Numbers of places. */
  places: Uint32Array;
  receipts: Uint32Array;
  amounts: BigUint64Array;
}

function recordsOf({ receipts, attributions, chain }: AllocateFrom, places: PlaceNumbers): Records {
  const records: Records = recordsFor(Math.max(64, 4 * receipts.count));
  const terms = new Map<bigint, Pick<ModelTerms, 'datanets'>>();
  for (let i = 0; i < receipts.count; i++) {
    const receipt = decodeReceipt(receipts.leaf(i));
    assert(receipt !== undefined, 'a receipt is malformed', { index: i });
    const { modelId } = receipt;
    // All of it is the platform's.
    if (modelId === 0n) continue;
    const known = terms.get(modelId) ?? defined(chain.terms(modelId), `model ${modelId} of a receipt`);
    terms.set(modelId, known);
    const weights = attributions.of(receipt);
    assert(weights !== 'malformed', 'an attribution is malformed', { index: i });
    for (const { place, amount } of duesOf(receipt, known, weights)) {
      if (records.count === records.places.length) grow(records);
      const at = records.count++;
      records.places[at] = places.numberOf(place);
      records.receipts[at] = i;
      records.amounts[at] = amount;
    }
  }
  return records;
}

function recordsFor(length: number): Records {
  return {
    count: 0,
    places: new Uint32Array(length),
    receipts: new Uint32Array(length),
    amounts: new BigUint64Array(length),
  };
}

function grow(records: Records): void {
  const more = recordsFor(Math.ceil(1.5 * records.count));
  more.places.set(records.places);
  more.receipts.set(records.receipts);
  more.amounts.set(records.amounts);
  records.places = more.places;
  records.receipts = more.receipts;
  records.amounts = more.amounts;
}

/** Where the allocations of each place end, in the order of places. */
function endsOf({ count, places }: Records, order: Uint32Array): Uint32Array {
  const counts = new Uint32Array(order.length);
  for (let i = 0; i < count; i++) {
    const place = places[i] ?? 0;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  let end = 0;
  return order.map((place) => (end += counts[place] ?? 0));
}

interface PlaceOrder {
  readonly places: PlaceNumbers;
  readonly order: Uint32Array;
  readonly ends: Uint32Array;
}

function packed(records: Records, { places, order, ends }: PlaceOrder): PackedLeaves {
  const { count } = records;
  const next = new Uint32Array(order.length);
  for (const [rank, place] of order.entries()) next[place] = rank === 0 ? 0 : (ends[rank - 1] ?? 0);
  const byPlace = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const place = records.places[i] ?? 0;
    const at = next[place] ?? 0;
    byPlace[at] = i;
    next[place] = at + 1;
  }
  const bytes = new Uint8Array(count * ALLOCATION_BYTES);
  const view = new DataView(bytes.buffer);
  const leaf = new Uint8Array(ALLOCATION_BYTES);
  let at = 0;
  for (const [rank, number] of order.entries()) {
    writeAllocation({ place: places.place(number), receipt: 0, amount: 0n }, leaf, 0);
    for (const end = ends[rank] ?? 0; at < end; at++) {
      const record = byPlace[at] ?? 0;
      const to = at * ALLOCATION_BYTES;
      bytes.set(leaf, to);
      view.setUint32(to + NUMBER_AT, records.receipts[record] ?? 0);
      view.setBigUint64(to + AMOUNT_AT, records.amounts[record] ?? 0n);
    }
  }
  return { bytes, width: ALLOCATION_BYTES, count };
}
