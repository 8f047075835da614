/** Credits of the slots below a number: whom they count for, and what of a receipt or a row they have to be. */
import { expect, test } from 'vitest';
import { defined } from '../../core/errors.ts';
import { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { Credit } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { Epoch } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import {
  contribute,
  deliverOk,
  payInference,
  paymentOf,
  publishSnapshot,
  registerModel,
} from '../../test/support/economic-loop.ts';
import { collect } from './collect.ts';
import { targetOf } from './credits.ts';
import { changed, deriveWith } from './testing/derive-with.ts';
import { playEpoch } from './testing/epoch-scene.ts';
import { claim, explainOne, pay, playScene, type Scene } from './testing/scenes.ts';

/** Model 1 is of the first two positions, model 2 of three; each is paid once, for nobody in particular. */
function paidTwice(): Scene {
  const scene = playScene();
  const { chain, loop } = scene;
  deliverOk(
    chain,
    loop.owner,
    contribute(loop.owner, loop.documents[0], { root: new Uint8Array(32).fill(7) }),
  );
  deliverOk(chain, loop.owner, publishSnapshot(loop.owner));
  deliverOk(chain, loop.seller, registerModel(loop.seller, { snapshotIds: [2n] }));
  pay(scene, []);
  deliverOk(chain, loop.payer, paymentOf(payInference(loop.payer, [], { modelId: 2n })));
  return scene;
}

/** Ids of the credits of a Datanet's claim. */
function creditsOf([derived]: Awaited<ReturnType<typeof explainOne>>['derived']): readonly bigint[] {
  return derived?.kind === 'claim' ? derived.credits.map(({ id }) => id) : [];
}

test('a claim is explained by the payments to the prefixes that its slot is in', async () => {
  const { chain, loop } = paidTwice();
  const inBoth = claim(chain, loop.second, { slots: [1n] });
  const explained = await explainOne(chain, { kind: 'tx', hash: inBoth });
  expect(creditsOf(explained.derived)).toEqual([2n, 4n]);
  const late = claim(chain, loop.owner, { slots: [2n] });
  expect(creditsOf((await explainOne(chain, { kind: 'tx', hash: late })).derived)).toEqual([4n]);
});

test('a credit of a prefix that the slot is not in is refused in its claim', async () => {
  const { chain, loop } = paidTwice();
  claim(chain, loop.owner, { slots: [2n] });
  const height = chain.height - 1n;
  const { target } = await targetOf(chain, { pool: 'datanet/1', slot: 2n, denom: 'uopen', height });
  expect(target.credits).toEqual(['4']);
  const question = { height, epochs: [], attributions: [] };
  await collect(chain, { ...question, targets: [target] });
  const greedy = { ...target, credits: ['2', '4'] };
  await expect(collect(chain, { ...question, targets: [greedy] })).rejects.toThrow(
    'credit 2 is for the slots below 2',
  );
});

test('a credit whose prefix is another than that of its receipt’s payout is refused', async () => {
  const { chain, loop } = paidTwice();
  const hash = claim(chain, loop.second, { slots: [1n] });
  const { text } = await explainOne(chain, { kind: 'tx', hash });
  expect(() => deriveWith(text, 'none', '', (value) => value)).not.toThrow();
  const credit = (prefix: bigint) => () =>
    deriveWith(
      text,
      'pools',
      '0d',
      changed(Credit, (one) => ({ prefix: one.prefix === 2n ? prefix : one.prefix })),
    );
  expect(credit(1n)).toThrow(/is for the slots below 1/);
  expect(credit(3n)).toThrow(/has no such payout/);
  expect(credit(0n)).toThrow(/has no such payout/);
  const payouts = changed(Receipt, (receipt) => ({
    payouts: receipt.payouts.map((payout) =>
      payout.positions === 2n ? { ...payout, positions: 3n } : payout,
    ),
  }));
  expect(() => deriveWith(text, 'payments', '02', payouts)).toThrow(/another part than theirs/);
  const snapshot = changed(Snapshot, ({ count }) => ({ count: count + 1n }));
  expect(() => deriveWith(text, 'datanet', '0d', snapshot)).toThrow(/another part than theirs/);
});

test('a credit whose prefix is another than that of its epoch’s row is refused', async () => {
  const { chain, world, source } = playEpoch(100);
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  for (const served of [source, undefined]) {
    const { text } = await explainOne(chain, { kind: 'tx', hash }, served);
    const rows = changed(Epoch, ({ commitment }) => ({
      commitment: {
        ...commitment,
        rows: commitment.rows.map((row) =>
          row.place.level === 255 ? { ...row, place: { ...row.place, index: 1 } } : row,
        ),
      },
    }));
    expect(() => deriveWith(text, 'settlement', '08', rows)).toThrow(/is of another place/);
    const credit = changed(Credit, ({ prefix }) => (prefix === 2n ? { prefix: 3n } : {}));
    expect(() => deriveWith(text, 'pools', '0d', credit)).toThrow(/is of another place|has no such payout/);
  }
  expect(defined(world.epoch(), 'epoch').commitment.rows.at(-1)?.place.index).toBe(2);
});
