/** Masses of claims that are due at once: work in a block is bounded, nobody is passed over, nothing is lost. */
import { expect, test } from 'vitest';
import { wholeUnits } from '../../modules/pools/arithmetic.ts';
import { viewOf } from '../../modules/pools/rows.ts';
import { poolState } from '../../modules/pools/state.ts';
import { datanetPool } from '../../modules/pools/places.ts';
import { exportModules } from '../../app/genesis.ts';
import { StateError } from '../../framework/errors.ts';
import { JsonReader } from '../../framework/json.ts';
import {
  DECIDED_WORK_MAX,
  FORGOTTEN_WORK_MAX,
  VOIDED_WORK_MAX,
} from '../../modules/attribution/end-block.ts';
import { attributionErrors } from '../../modules/attribution/errors.ts';
import { WORK } from '../../modules/attribution/work.ts';
import { ClaimState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { chainWithDue, type DueClaims, someoneNamed } from '../support/due-claims.ts';
import type { StakingWorld } from '../support/staking-world.ts';

const POOLS = poolState();

const { CLAIM_STATE_PENDING: PENDING, CLAIM_STATE_VERIFIED: VERIFIED } = ClaimState;

function listed(world: StakingWorld, name: string): readonly JsonReader[] {
  const modules = world.composition.modules.filter((module) => module.name === 'attribution');
  const exported = new JsonReader(exportModules(modules, world.context), '');
  return exported.member('attribution').member(name).elements();
}

/** Ids of the claims that are still open. */
function open(world: StakingWorld): readonly number[] {
  return listed(world, 'claims')
    .filter((claim) => claim.member('params_version').text() !== '0')
    .map((claim) => Number(claim.member('id').text()));
}

/** How many claims each block ends, from the one in which they are due; they end in order. */
function endedByBlock(world: StakingWorld): readonly number[] {
  while (world.context.block.height < 2n) world.endBlock();
  const ended: number[] = [];
  for (let before = open(world); before.length > 0; ) {
    world.endBlock();
    const left = open(world);
    expect(left).toEqual(before.slice(before.length - left.length));
    expect(left.length).toBeLessThan(before.length);
    expect(world.broken()).toEqual([]);
    ended.push(before.length - left.length);
    before = left;
  }
  return ended;
}

const paidTo = (world: StakingWorld, name: string): bigint =>
  world.composition.bank.balance(world.context, world.composition.addresses.toBytes(name), 'uopen');

/** What the contributor at this position has earned. */
const earnedAt = (world: StakingWorld, position: bigint): bigint =>
  wholeUnits(viewOf(POOLS, world.context, datanetPool(1n)).debt(position, 'uopen').owed);

test.each<[string, number, Omit<DueClaims, 'state'>]>([
  ['claims', WORK.claim, { claims: 1_100 }],
  ['shards', WORK.claim + 256 * WORK.shard, { claims: 30, shards: 256 }],
  [
    'shards that go',
    WORK.claim + 256 * (WORK.shard + WORK.shardEnd),
    { claims: 7, shards: 256, retired: true },
  ],
  ['payouts', WORK.claim + 100 * WORK.payout, { claims: 25, shares: 100 }],
])('a block ends as many claims as their work allows, the oldest first: %s', (_, each, sort) => {
  const world = chainWithDue({ ...sort, state: PENDING });
  const most = Math.floor(DECIDED_WORK_MAX / each);
  const ended = endedByBlock(world);
  expect(ended.length).toBeGreaterThan(1);
  expect(ended.slice(0, -1).every((count) => count === most)).toBe(true);
  expect(ended.reduce((sum, count) => sum + count, 0)).toBe(sort.claims);
  // Bonds and what waited are there to the unit.
  expect(paidTo(world, someoneNamed('claimant'))).toBe(BigInt(sort.claims));
  if (sort.shares !== undefined) expect(earnedAt(world, 0n)).toBe(BigInt(sort.claims));
});

test('a claim that is more than a block’s work comes alone', () => {
  const sort = { claims: 2, state: PENDING, shares: 1_000 } as const;
  expect(sort.shares * WORK.payout + WORK.claim).toBeGreaterThan(DECIDED_WORK_MAX);
  expect(endedByBlock(chainWithDue(sort))).toEqual([1, 1]);
});

test('claims that are refuted by requests that nobody answered are as many as their work allows', () => {
  const world = chainWithDue({ claims: 30, shards: 256, state: PENDING, asked: true });
  const most = Math.floor(DECIDED_WORK_MAX / (WORK.claim + 256 * WORK.shard));
  expect(most).toBeLessThan(30);
  expect(endedByBlock(world)).toEqual([most, 30 - most]);
  // Each bond of one unit is the pool's, and each that asked has its own back.
  expect(paidTo(world, someoneNamed('claimant'))).toBe(0n);
  expect(paidTo(world, someoneNamed('requester'))).toBe(30n);
});

/** How a payment is refused that names a claim in the block that runs now. */
function refusalOf(world: StakingWorld, claimId: bigint): unknown {
  const message = MsgPayInference.create({
    ...{ payer: someoneNamed('payer'), modelId: 1n, claimId, requestHash: new Uint8Array(32) },
    maxFee: { denom: 'uopen', amount: '1' },
  });
  const { router, addresses } = world.composition;
  const bytes = MsgPayInference.encode(message);
  const bound = router.require(MsgPayInference.typeUrl).bind(bytes, addresses);
  try {
    return bound.run(world.context.branch().context);
  } catch (error) {
    return error instanceof StateError ? error.kind : error;
  }
}

test('a claim that waits for its turn behind its window is paid by nobody any more', () => {
  const last = 2_000;
  const world = chainWithDue({ claims: last, state: PENDING });
  while (world.context.block.height < 2n) world.endBlock();
  expect(refusalOf(world, BigInt(last))).toBe(attributionErrors['other-claim']);
  world.endBlock();
  expect(open(world)).toContain(last);
  expect(refusalOf(world, BigInt(last))).toBe(attributionErrors['claim-closed']);
});

/** Indexes that are not retired. */
function standingIndexes(world: StakingWorld): number {
  return listed(world, 'indexes').filter((index) => index.member('retired').value !== true).length;
}

test('indexes on convicted shards end by themselves, a block’s work of them at a time', () => {
  const world = chainWithDue({ claims: 5, state: PENDING, shards: 256, voided: true });
  expect(world.broken()).toEqual([]);
  while (world.context.block.height < 2n) world.endBlock();
  const left: number[][] = [];
  for (let i = 0; i < 3; i++) {
    world.endBlock();
    left.push([listed(world, 'indexes').length, listed(world, 'shards').length]);
    expect(world.broken()).toEqual([]);
  }
  // The others of their shards unbond.
  const begun = Math.ceil(VOIDED_WORK_MAX / (256 * WORK.shardEnd));
  expect(left).toEqual(
    [1, 2, 3].map((blocks) => {
      const ended = Math.min(5, blocks * begun);
      return [5 - ended, 5 * 256 - ended];
    }),
  );
});

test('of the indexes on one convicted shard, too, a block ends as many as its work allows', () => {
  const world = chainWithDue({ claims: 5, state: PENDING, shards: 256, voided: true, together: true });
  while (world.context.block.height < 2n) world.endBlock();
  const begun = Math.ceil(VOIDED_WORK_MAX / (256 * WORK.shardEnd));
  expect(begun).toBeLessThan(5);
  for (let blocks = 1; blocks <= 3; blocks++) {
    world.endBlock();
    expect(standingIndexes(world)).toBe(Math.max(0, 5 - blocks * begun));
    expect(world.broken()).toEqual([]);
  }
});

test('claims with proofs, which cost no bond, hold up none that money waits for', () => {
  const proved = 2 * (FORGOTTEN_WORK_MAX / WORK.claim);
  const world = chainWithDue({ claims: proved, state: VERIFIED }, { claims: 3, state: PENDING, shares: 10 });
  while (world.context.block.height < 3n) world.endBlock();
  expect(earnedAt(world, 0n)).toBe(3n);
  expect(open(world).length).toBe(proved / 2);
  world.endBlock();
  expect(open(world)).toEqual([]);
  expect(world.broken()).toEqual([]);
});
