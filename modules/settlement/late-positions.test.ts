import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { MsgContribute } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import type { Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { TestAccount } from '../../test/support/test-chain.ts';
import { claimableOf, wealthOf } from '../../test/support/earnings.ts';
import { payInference, paymentOf, publishSnapshot, registerModel } from '../../test/support/economic-loop.ts';
import { SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';

/** A document that nobody has seen, said to be as heavy as can be. */
function declare(thief: TestAccount): ReturnType<typeof anyOf> {
  const byteLength = (1n << 28n) - 1n;
  const root = sha256(utf8('nothing'));
  const document = { contributor: thief.address, datanetId: 1n, root, byteLength, tokenCount: 1n };
  return anyOf(MsgContribute, MsgContribute.create(document));
}

/** Model 1 is of the snapshot of what `first` and `second` have contributed, in an open Datanet. */
function worldWithThief(params: Partial<Params> = {}): {
  readonly world: SettlementWorld;
  readonly thief: TestAccount;
} {
  const world = new SettlementWorld(params);
  const thief = world.watcher;
  world.sendOk(thief, declare(thief));
  // It weighs by now.
  world.chain.block();
  return { world, thief };
}

/** What the two have gained by something. */
function gains({ chain, loop }: SettlementWorld, by: () => void): readonly bigint[] {
  const both = [loop.first, loop.second];
  const before = both.map(({ address }) => wealthOf(chain, address));
  by();
  return both.map(({ address }, i) => wealthOf(chain, address) - (before[i] ?? 0n));
}

const CONTRIBUTORS_PART = 50_000_000n;

test('who declares a document after the snapshot gets nothing of a payment for the model', () => {
  const { world, thief } = worldWithThief();
  const { payer } = world.loop;
  const answer = payInference(payer, [], { tokensOut: 333_330_000n, tokensIn: 0n });
  const paid = gains(world, () => {
    const message = { ...answer, maxFee: { denom: 'uopen', amount: '100000000' } };
    world.sendOk(payer, paymentOf(message));
  });
  expect(claimableOf(world.chain, thief.address)).toBe(0n);
  // By their 1,000 and 700 bytes, to the unit that does not divide.
  expect(paid).toEqual([(CONTRIBUTORS_PART * 1_000n) / 1_700n, (CONTRIBUTORS_PART * 700n) / 1_700n]);
  world.sound();
});

test('who declares a document after the snapshot gets nothing of a row of an epoch', () => {
  const { world, thief } = worldWithThief();
  world.register();
  world.claim([0, 200_000n]);
  const epoch = world.published();
  const row = epoch.commitment.rows.at(-1);
  expect(row?.place).toEqual({ kind: 2, id: 1n, level: 255, index: 2 });
  const paid = gains(world, () => {
    world.settle(epoch);
    world.waitWindow();
  });
  expect(claimableOf(world.chain, thief.address)).toBe(0n);
  const amount = row?.amount ?? 0n;
  expect(paid).toEqual([(amount * 1_000n) / 1_700n, (amount * 700n) / 1_700n]);
  world.sound();
});

test('a model of two snapshots pays the positions of each, by their bytes', () => {
  const { world, thief } = worldWithThief();
  const { loop, gateway, chain } = world;
  world.sendOk(loop.owner, publishSnapshot(loop.owner));
  world.sendOk(gateway, registerModel(gateway, { snapshotIds: [2n, 1n] }));
  const message = payInference(loop.payer, [], { modelId: 2n, tokensOut: 333_330_000n, tokensIn: 0n });
  world.sendOk(loop.payer, paymentOf({ ...message, maxFee: { denom: 'uopen', amount: '100000000' } }));
  const [small, large] = [1_700n, 1_700n + (1n << 28n) - 1n];
  const part = (CONTRIBUTORS_PART * small) / (small + large);
  const owed = claimableOf(chain, thief.address);
  const expected = ((CONTRIBUTORS_PART - part) * ((1n << 28n) - 1n)) / large;
  expect(owed >= expected - 1n && owed <= expected + 1n).toBe(true);
  world.sound();
});

test('a row costs the gas of as many rows as its positions have nodes', () => {
  const gasPerRow = 1_000_000;
  const { world } = worldWithThief({ gasPerRow });
  world.register();
  const gasOf = (total: bigint, index: number): bigint => {
    world.claim([0, total]);
    const epoch = world.published();
    const rows = epoch.commitment.rows.map((row) =>
      row.place.level === 255 ? { ...row, place: { ...row.place, index } } : row,
    );
    // Nobody disputes it here.
    const stated = world.settlement({ ...epoch, commitment: { ...epoch.commitment, rows } });
    return world.sendOk(world.gateway, stated, 50_000_000n).gasUsed;
  };
  const [one, two] = [gasOf(200_000n, 2), gasOf(400_000n, 3)];
  expect((two - one + 100_000n) / BigInt(gasPerRow)).toBe(1n);
});
