/** The verifier against a chain that broke its own rules, and against absences that are none. */
import { expect, test } from 'vitest';
import type { Bundle, ProvedPair, ProvedRow } from '../../client/verifier/types.ts';
import { Refused, verifyBundle } from '../../client/verifier/verify-payout.ts';
import { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Contribution } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { Credit, Debt } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { Epoch, EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { claim, claimScene, explainOne } from './testing/scenes.ts';
import { type Change, changed, deriveWith } from './testing/derive-with.ts';
import { playEpoch } from './testing/epoch-scene.ts';

const plus = (digits: string, more: bigint): string => `${BigInt(digits) + more}`;

test('receipts, credits, claims and debts that break a rule of the chain are refused', async () => {
  const { text } = await claimScene();
  const refused = (store: string, prefix: string, change: Change) =>
    expect(() => deriveWith(text, store, prefix, change), `${store} ${prefix}`).toThrow(Refused);
  expect(() => deriveWith(text, 'none', '', (value) => value)).not.toThrow();
  const receipt = (change: (value: Receipt) => Partial<Receipt>) =>
    refused('payments', '02', changed(Receipt, change));
  receipt(({ tokensOut }) => ({ tokensOut: tokensOut + 10n }));
  receipt(({ fee }) => ({ fee: { ...fee, amount: plus(fee.amount, 1n) } }));
  receipt(({ payouts }) => ({
    payouts: payouts.map((payout, i) => ({ ...payout, amount: plus(payout.amount, [1n, -1n][i] ?? 0n) })),
  }));
  receipt(({ payouts }) => ({ payouts: payouts.map((payout) => ({ ...payout, contributionId: 2n })) }));
  refused(
    'models',
    '02',
    changed(Model, ({ price }) => ({ price: { ...price, perCall: '1001' } })),
  );
  refused(
    'models',
    '02',
    changed(Model, ({ split }) => ({ split: { ...split, residual: 3 } })),
  );
  const credit = (change: (value: Credit) => Partial<Credit>) =>
    refused('pools', '0d', changed(Credit, change));
  credit(({ amount }) => ({ amount: { ...amount, amount: plus(amount.amount, 1n) } }));
  credit(({ place }) => ({ place: { ...place, index: 1n } }));
  credit(({ perWeight }) => (perWeight === '' ? {} : { perWeight: plus(perWeight, 1n << 60n) }));
  credit(() => ({ receiptId: 0n }));
  // What is divided by weight is reckoned by per_weight: only the receipt tells that the amount is another.
  credit(({ perWeight, amount }) =>
    perWeight === '' ? {} : { amount: { ...amount, amount: plus(amount.amount, 1n) } },
  );
  // Another amount whose payout there is not, though the slot's debt fits it.
  const debt = changed(Debt, ({ owed }) => ({ owed: plus(owed, 5n << 64n) }));
  refused('pools', '05', (value, height) => (height % 2n === 0n ? debt(value, height) : value));
  refused(
    'attribution',
    '02',
    changed(ClaimRecord, ({ shares }) => ({
      shares: shares.map((share, i) => ({
        ...share,
        weight: share.weight + (shares.length < 2 ? 0n : i === 0 ? 1n : -1n),
      })),
    })),
  );
  refused(
    'datanet',
    '07',
    changed(Contribution, ({ root }) => ({ root: root.toReversed() })),
  );
});

test('a receipt that pays its contributors the other way round is refused', async () => {
  const { text } = await claimScene();
  const swapped = changed(Receipt, ({ payouts }) => {
    const named = payouts.filter(({ contributionId }) => contributionId > 0n).map(({ amount }) => amount);
    return {
      payouts: payouts.map((payout) =>
        payout.contributionId > 0n ? { ...payout, amount: named.pop() ?? '0' } : payout,
      ),
    };
  });
  expect(() => deriveWith(text, 'payments', '02', swapped)).toThrow(Refused);
});

test('an epoch that is not paid, or whose rows are others, is refused', async () => {
  const { chain, world, source } = playEpoch(100);
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  const { text } = await explainOne(chain, { kind: 'tx', hash }, source);
  const refused = (change: (value: Epoch) => Partial<Epoch>) =>
    expect(() => deriveWith(text, 'settlement', '08', changed(Epoch, change))).toThrow(Refused);
  refused(() => ({ state: EpochState.EPOCH_STATE_PENDING, paidRows: 0 }));
  const rows = (change: (row: Epoch['commitment']['rows'][number]) => object) =>
    refused(({ commitment }) => ({
      commitment: { ...commitment, rows: commitment.rows.map((row) => ({ ...row, ...change(row) })) },
    }));
  rows(({ amount }) => ({ amount: amount + 1n }));
  rows(({ place }) => ({ place: { ...place, id: 2n } }));
  rows(({ end }) => ({ end: end + 1 }));
  refused(({ commitment }) => ({
    commitment: { ...commitment, allocations: { ...commitment.allocations, sums: [1n] } },
  }));
  refused(({ commitment }) => ({
    commitment: { ...commitment, receipts: { ...commitment.receipts, root: new Uint8Array(32) } },
  }));
  // Where no allocation is shown, only the credit tells whose row it is.
  const bare = (await explainOne(chain, { kind: 'tx', hash })).text;
  const elsewhere = changed(Epoch, ({ commitment }) => ({
    commitment: {
      ...commitment,
      rows: commitment.rows.map((row) => ({ ...row, place: { ...row.place, id: 2n } })),
    },
  }));
  expect(() => deriveWith(bare, 'settlement', '08', elsewhere)).toThrow(
    /row \d of epoch 1 is of another place/,
  );
  const model = changed(Model, ({ price }) => ({ price: { ...price, perCall: '1001' } }));
  expect(() => deriveWith(text, 'models', '02', model)).toThrow(Refused);
});

test('a row that is there cannot be shown as absent', async () => {
  const { text, trusted } = await claimScene();
  const bundle: Bundle = JSON.parse(text);
  let tried = 0;
  for (const [i, state] of bundle.states.entries())
    for (const [j, store] of state.stores.entries())
      for (const [k, row] of store.rows.entries()) {
        const [before, after] = [pairAt(store.rows, k - 1), pairAt(store.rows, k + 1)];
        if (row.found === null) continue;
        const forged = [
          { key: row.key, found: null, left: before, right: after },
          { key: row.key, found: null, left: before, right: null },
          { key: row.key, found: null, left: null, right: after },
          { key: row.key, found: null, left: row.found, right: after },
          { key: row.key, found: null, left: before, right: row.found },
          { key: row.key, found: null, left: row.found, right: null },
          { key: row.key, found: null, left: null, right: row.found },
          { key: row.key, found: null, left: null, right: null },
        ];
        for (const absent of forged) {
          const stores = state.stores.with(j, { ...store, rows: store.rows.with(k, absent) });
          const other = { ...bundle, states: bundle.states.with(i, { ...state, stores }) };
          const changedText = `${JSON.stringify(other, undefined, 1)}\n`;
          expect(() => verifyBundle(changedText, trusted)).toThrow(/neighbour/);
          tried++;
        }
      }
  expect(tried).toBeGreaterThan(40);
});

function pairAt(rows: readonly ProvedRow[], at: number): ProvedPair | null {
  return rows[at]?.found ?? null;
}
