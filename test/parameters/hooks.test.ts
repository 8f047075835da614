/** The work of hooks: what is due in masses is done in portions, and state that is not due costs nothing. */
import { expect, it } from 'vitest';
import { composeModules } from '../../app/modules.ts';
import { exportModules } from '../../app/genesis.ts';
import { toBase64, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { formatInstant } from '../../core/time.ts';
import { AddressCodec, moduleAddress } from '../../framework/address.ts';
import { type JsonObject, JsonReader } from '../../framework/json.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { TEST_BLOCK } from '../../framework/testing/memory.ts';
import {
  EXPIRED_PER_BLOCK_MAX,
  FORGOTTEN_WORK_MAX,
  RELEASED_PER_BLOCK_MAX,
} from '../../modules/attribution/end-block.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { WORK } from '../../modules/attribution/work.ts';
import { TIMEOUTS_FORGOTTEN_MAX } from '../../modules/auth/module.ts';
import { DEQUEUED_PER_BLOCK_MAX } from '../../modules/authz/module.ts';
import { PRUNED_PER_BLOCK_MAX as ALLOWANCES_MAX } from '../../modules/feegrant/module.ts';
import {
  DROPPED_PER_BLOCK_MAX,
  RECORDS_PER_BLOCK_MAX,
  TALLIED_PER_BLOCK_MAX,
} from '../../modules/gov/end-block.ts';
import { NONCES_FORGOTTEN_PER_BLOCK_MAX } from '../../modules/payments/authorizations.ts';
import { HOLDS_RETURNED_PER_BLOCK_MAX } from '../../modules/payments/holds.ts';
import { EXPIRED_PER_BLOCK_MAX as EPOCH_REQUESTS_EXPIRED } from '../../modules/settlement/end-block.ts';
import { PRUNED_PER_BLOCK_MAX as HEADERS_MAX } from '../../modules/staking/history.ts';
import { MATURED_PER_BLOCK_MAX } from '../../modules/staking/valset.ts';
import { Params as AttributionParams } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { QueryHistoricalInfoRequest } from '../../proto/gen/cosmos/staking/v1beta1/query.ts';
import { Params } from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import { MsgUpdateParams, MsgUpdateParamsResponse } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { GOV_PARAMS } from '../support/gov-world.ts';
import { votesOf } from '../support/rewards.ts';
import { operatorText, StakingWorld, stakingSections } from '../support/staking-world.ts';
import { testAccount } from '../support/test-chain.ts';
import { HOOKS } from './hooks.ts';

const VALIDATORS = [40_000_000n, 30_000_000n];
const ACCOUNTS = Array.from({ length: 3 }, (_, i) => testAccount(`${i}`));
const [FIRST, SECOND] = ACCOUNTS.map((account) => operatorText(account));
const CODEC = new AddressCodec('open');
/** So many entries fall due at each moment. */
const AT_ONCE = 10;
const GOVERNANCE = CODEC.toText(moduleAddress('gov'));
const NOTHING: readonly string[] = [];

function someone(i: number): string {
  return CODEC.toText(sha256(utf8(`hook ${i}`)).slice(0, 20));
}

/** So many seconds after the first block, as JSON has it. */
function at(seconds: number): string {
  const { time } = TEST_BLOCK;
  return formatInstant({ ...time, seconds: time.seconds + BigInt(seconds) });
}

function times<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function entry(i: number): JsonObject {
  const completion = at(1 + Math.floor(i / AT_ONCE));
  return {
    creation_height: '1',
    completion_time: completion,
    initial_balance: '1',
    unbonding_id: `${i + 1}`,
    unbonding_on_hold_ref_count: '0',
  };
}

function unbonding(i: number): JsonObject {
  const entries = [{ ...entry(i), balance: '1' }];
  return { delegator_address: someone(i), validator_address: FIRST ?? '', entries };
}

function redelegation(i: number): JsonObject {
  const entries = [{ ...entry(i), shares_dst: '1.000000000000000000' }];
  const path = { validator_src_address: FIRST ?? '', validator_dst_address: SECOND ?? '' };
  return { delegator_address: someone(i), ...path, entries };
}

function proposal(id: number, isVoting: boolean): JsonObject {
  return {
    id: `${id}`,
    messages: [{ '@type': '/cosmos.gov.v1.MsgCancelProposal', proposal_id: '1', proposer: GOVERNANCE }],
    status: isVoting ? 'PROPOSAL_STATUS_VOTING_PERIOD' : 'PROPOSAL_STATUS_DEPOSIT_PERIOD',
    final_tally_result: { yes_count: '0', abstain_count: '0', no_count: '0', no_with_veto_count: '0' },
    submit_time: at(0),
    deposit_end_time: at(1),
    total_deposit: [],
    voting_start_time: isVoting ? at(0) : null,
    voting_end_time: isVoting ? at(1) : null,
    metadata: '',
    title: 'title',
    summary: 'summary',
    proposer: someone(0),
    expedited: false,
    failed_reason: '',
  };
}

function deposits(proposalId: number, count: number): readonly JsonObject[] {
  const amount = [{ denom: 'uopen', amount: '1' }];
  return times(count, (i) => ({ proposal_id: `${proposalId}`, depositor: someone(i), amount }));
}

function votes(proposalId: number, count: number): readonly JsonObject[] {
  const options = [{ option: 'VOTE_OPTION_NO', weight: '1.000000000000000000' }];
  return times(count, (i) => ({ proposal_id: `${proposalId}`, voter: someone(i), options, metadata: '' }));
}

/** A chain that begins with these lists. */
function chainOf(lists: {
  readonly staking?: JsonObject;
  readonly gov?: JsonObject;
  readonly sections?: JsonObject;
  readonly held?: Readonly<Record<string, number>>;
  readonly coins?: readonly string[];
}): StakingWorld {
  const base = stakingSections({ validators: VALIDATORS, accounts: ACCOUNTS });
  const bank = new JsonReader(base, '').member('bank').object();
  const staking = new JsonReader(base, '').member('staking').object();
  const held = Object.entries(lists.held ?? {}).map(([name, amount]): [string, number] => [
    CODEC.toText(moduleAddress(name)),
    amount,
  ]);
  const balances = [
    ...held,
    ...(lists.coins ?? NOTHING).map((address): [string, number] => [address, 7]),
  ].map(([address, amount]) => ({ address, coins: [{ denom: 'uopen', amount: `${amount}` }] }));
  const before = new JsonReader(bank, '').member('balances').elements();
  return new StakingWorld({
    validators: VALIDATORS,
    accounts: ACCOUNTS.length,
    sections: {
      ...lists.sections,
      bank: { ...bank, balances: [...before.map(({ value }) => value ?? null), ...balances] },
      staking: { ...staking, ...lists.staking },
      gov: { starting_proposal_id: '1000', params: GOV_PARAMS, ...lists.gov },
    },
  });
}

/** How many elements lists of the exported state have: `staking.redelegations`. */
function lengthOf(world: StakingWorld, path: string): number {
  const modules = world.composition.modules.filter(({ name }) => path.startsWith(`${name}.`));
  const exported = exportModules(modules, world.context);
  return path
    .split('.')
    .reduce((json, name) => json.member(name), new JsonReader(exported, ''))
    .elements().length;
}

/** Lengths of a list after each of some blocks, the first of which ends long after everything is due. */
function lengths(world: StakingWorld, path: string, blocks: number): readonly number[] {
  world.endBlock(100_000n);
  return times(blocks, () => {
    world.endBlock();
    return lengthOf(world, path);
  });
}

it('what is due waits its turn: unbonding delegations and redelegations, while the set changes', () => {
  const count = MATURED_PER_BLOCK_MAX + AT_ONCE;
  const world = chainOf({
    staking: { unbonding_delegations: times(count, unbonding), redelegations: times(count, redelegation) },
    held: { not_bonded_tokens_pool: count },
  });
  const last = CODEC.toBytes(someone(MATURED_PER_BLOCK_MAX));
  const paid = (): bigint => world.composition.bank.balance(world.context, last, 'uopen');
  world.endBlock(100_000n);
  world.composition.staking.jail(world.context, world.keyAddress(1));
  expect(world.endBlock().map(({ power }) => power)).toEqual([0n]);
  expect([lengthOf(world, 'staking.unbonding_delegations'), paid()]).toEqual([AT_ONCE, 0n]);
  expect(lengthOf(world, 'staking.redelegations')).toBe(AT_ONCE);
  expect(world.broken()).toEqual([]);
  world.endBlock();
  expect([lengthOf(world, 'staking.unbonding_delegations'), paid()]).toEqual([0, 1n]);
  expect(lengthOf(world, 'staking.redelegations')).toBe(0);
});

it('what is due waits its turn: proposals, and none after many deposits or votes', () => {
  const drops = chainOf({
    gov: { proposals: times(2 * DROPPED_PER_BLOCK_MAX, (i) => proposal(i + 1, false)) },
  });
  expect(lengths(drops, 'gov.proposals', 2)).toEqual([DROPPED_PER_BLOCK_MAX, 0]);
  const open = (world: StakingWorld): number => {
    const gov = world.composition.modules.filter(({ name }) => name === 'gov');
    const exported = exportModules(gov, world.context);
    const states = new JsonReader(exported, '').member('gov').member('proposals').elements();
    return states.filter((one) => one.member('status').text() === 'PROPOSAL_STATUS_VOTING_PERIOD').length;
  };
  const tallies = chainOf({
    gov: { proposals: times(2 * TALLIED_PER_BLOCK_MAX, (i) => proposal(i + 1, true)) },
  });
  tallies.endBlock(100_000n);
  tallies.endBlock();
  expect(open(tallies)).toBe(TALLIED_PER_BLOCK_MAX);
  const many = chainOf({
    gov: {
      proposals: [proposal(1, false), proposal(2, false), proposal(3, true), proposal(4, true)],
      deposits: [...deposits(1, RECORDS_PER_BLOCK_MAX), ...deposits(2, 1)],
      votes: [...votes(3, RECORDS_PER_BLOCK_MAX), ...votes(4, 1)],
    },
    held: { gov: RECORDS_PER_BLOCK_MAX + 1 },
  });
  many.endBlock(100_000n);
  many.endBlock();
  expect([lengthOf(many, 'gov.deposits'), lengthOf(many, 'gov.votes'), open(many)]).toEqual([1, 1, 1]);
  many.endBlock();
  expect([lengthOf(many, 'gov.deposits'), lengthOf(many, 'gov.votes'), open(many)]).toEqual([0, 0, 0]);
});

it('what is due waits its turn: authorizations, allowances, timeouts of unordered transactions', () => {
  const granter = someone(0);
  const authorization = { '@type': '/cosmos.authz.v1beta1.GenericAuthorization', msg: '/x' };
  const allowance = {
    '@type': '/cosmos.feegrant.v1beta1.BasicAllowance',
    spend_limit: [],
    expiration: at(5),
  };
  const world = chainOf({
    sections: {
      authz: {
        authorization: times(DEQUEUED_PER_BLOCK_MAX, (i) => ({
          ...{ granter, grantee: someone(i + 1), authorization, expiration: at(5) },
        })),
      },
      feegrant: {
        allowances: times(ALLOWANCES_MAX + 1, (i) => ({ granter, grantee: someone(i + 1), allowance })),
      },
    },
  });
  const { auth } = world.composition;
  for (let i = 0; i <= TIMEOUTS_FORGOTTEN_MAX; i++)
    auth.useTimeout(world.context, sha256(utf8(`${i}`)).slice(0, 20), { seconds: 1_700_000_001n, nanos: 0 });
  world.endBlock(100_000n);
  expect(auth.rememberedTimeouts(world.context)).toBe(1);
  // An entry and its authorization are two pieces of work.
  expect(lengthOf(world, 'authz.authorization')).toBe(DEQUEUED_PER_BLOCK_MAX / 2);
  world.endBlock();
  expect(lengthOf(world, 'feegrant.allowances')).toBe(1);
  expect(lengthOf(world, 'authz.authorization')).toBe(0);
});

it('what is due waits its turn: headers of a history that governance shortens', () => {
  const params = { historical_entries: 2 * HEADERS_MAX };
  const world = chainOf({ staking: { params: { ...stakingParams(), ...params } } });
  for (let i = 0; i < HEADERS_MAX + AT_ONCE; i++) world.endBlock();
  const authority = GOVERNANCE;
  const shorter = messageFromJson(Params, new JsonReader({ ...stakingParams(), historical_entries: 1 }, ''));
  world.run({ message: MsgUpdateParams, response: MsgUpdateParamsResponse }, { authority, params: shorter });
  const oldest = (): number => {
    for (let height = 1; height <= 3 * HEADERS_MAX; height++) if (hasHeader(world, height)) return height;
    return 0;
  };
  const first = oldest();
  world.endBlock();
  expect(oldest()).toBe(first + HEADERS_MAX);
  world.endBlock();
  expect(oldest()).toBe(Number(world.context.block.height));
});

it('what is due waits its turn: requests for pieces, claims, bonds of shards and of model cards', () => {
  const bond = { denom: 'uopen', amount: '1' };
  const commitment = { datanet_id: '1', documents: 1, tokens: 1, tokeniser: 1, entries_per_leaf: 1 };
  const requests = EXPIRED_PER_BLOCK_MAX + 1;
  const shards = RELEASED_PER_BLOCK_MAX + 1;
  const claims = FORGOTTEN_WORK_MAX / WORK.claim + 1;
  const cards = RELEASED_PER_BLOCK_MAX + 1;
  const world = chainOf({
    sections: {
      attribution: {
        params_versions: [
          {
            version: '1',
            params: new JsonReader(messageToJson(AttributionParams, DEFAULT_PARAMS), '').object(),
            objects: `${requests + shards + cards + claims}`,
          },
        ],
        shards: times(shards, (i) => ({
          ...{ id: `${i + 1}`, publisher: someone(i), commitment, bond, params_version: '1' },
          ...{ release_height: '2', open_requests: i === 0 ? requests : 0 },
        })),
        claims: times(claims, (i) => ({
          ...{ id: `${i + 1}`, state: 'CLAIM_STATE_VERIFIED', params_version: '1' },
          ...{ final_height: '2', due_height: '2' },
        })),
        cards: times(cards, (i) => ({
          ...{ id: `${i + 1}`, publisher: someone(i), bond, params_version: '1' },
          ...{ retired: true, release_height: '2' },
        })),
        requests: times(requests, (i) => ({
          ...{ id: `${i + 1}`, requester: someone(i), shard_id: '1', place: { chunk: i }, bond },
          ...{ deadline: '2', params_version: '1' },
        })),
      },
    },
    held: { attribution: requests + shards + cards },
  });
  while (world.context.block.height < 3n) world.endBlock();
  expect(lengthOf(world, 'attribution.requests')).toBe(1);
  expect(lengthOf(world, 'attribution.claims')).toBe(1);
  // The first shard is lost to the first requester.
  expect(lengthOf(world, 'attribution.shards')).toBe(0);
  expect(lengthOf(world, 'attribution.cards')).toBe(1);
  expect(world.broken()).toEqual([]);
  world.endBlock();
  expect(lengthOf(world, 'attribution.requests')).toBe(0);
  expect(lengthOf(world, 'attribution.cards')).toBe(0);
});

it('what is due waits its turn: requests for pieces of epochs, which are not paid before', () => {
  const bond = { denom: 'uopen', amount: '1' };
  const requests = EPOCH_REQUESTS_EXPIRED + 1;
  const lane = { channel_id: toBase64(sha256(utf8('channel'))), lane: 0, from: '0', to: '5' };
  const leaf = { root: toBase64(sha256(utf8('root'))), leaves: 1_000_000 };
  const world = chainOf({
    sections: {
      settlement: {
        rounds: times(2, (i) => {
          const closed = { claimed: '5', closed: true, epoch_id: `${i + 1}` };
          return { id: `${i + 1}`, gateway: someone(0), denom: 'uopen', ...closed };
        }),
        lanes: times(2, (i) => ({ round_id: `${i + 1}`, ...lane })),
        epochs: times(2, (i) => ({
          ...{ id: `${i + 1}`, gateway: someone(0), denom: 'uopen', round_id: `${i + 1}`, bond },
          commitment: { receipts: { ...leaf, sums: ['5', '0', '0', '0'] } },
          ...{ state: 'EPOCH_STATE_PENDING', final_height: '2', unclaimed: '0' },
          open_requests: i === 0 ? requests - 1 : 1,
        })),
        requests: times(requests, (i) => ({
          ...{ id: `${i + 1}`, requester: someone(i), epoch_id: i < requests - 1 ? '1' : '2', bond },
          ...{ piece: { tree: 'EPOCH_TREE_RECEIPTS', first: 64 * i }, deadline: '2' },
        })),
        last_round_id: '2',
        last_epoch_id: '2',
        last_request_id: `${requests}`,
      },
    },
    held: { settlement: 10 + 2 + requests },
  });
  expect(world.broken()).toEqual([]);
  while (world.context.block.height < 3n) world.endBlock();
  expect(lengthOf(world, 'settlement.requests')).toBe(1);
  expect(lengthOf(world, 'settlement.epochs')).toBe(1);
  expect(world.broken()).toEqual([]);
  world.endBlock();
  // Nobody answered for the second epoch either: it was not paid meanwhile.
  expect(lengthOf(world, 'settlement.epochs')).toBe(0);
  expect(world.broken()).toEqual([]);
});

it('what is due waits its turn: holds that have expired, nonces of authorisations', () => {
  const held = HOLDS_RETURNED_PER_BLOCK_MAX + 1;
  const spent = NONCES_FORGOTTEN_PER_BLOCK_MAX + 1;
  const hash = (i: number): string => toBase64(sha256(utf8(`${i}`)));
  const coin = { denom: 'uopen', amount: '1' };
  const due = `${TEST_BLOCK.time.seconds + 1n}`;
  const world = chainOf({
    sections: {
      payments: {
        hold_sequence: `${held}`,
        holds: times(held, (i) => ({
          ...{ id: `${i + 1}`, payer: someone(i), payee: someone(0), model_id: '1', request_hash: hash(i) },
          ...{ amount: coin, expires: due },
        })),
        spent_nonces: times(spent, (i) => ({
          ...{ from: someone(i), nonce: hash(i), state: 'AUTHORIZATION_STATE_USED', valid_before: due },
        })),
      },
    },
    held: { payments: held },
  });
  expect(lengths(world, 'payments.holds', 1)).toEqual([1]);
  expect(lengthOf(world, 'payments.spent_nonces')).toBe(1);
  expect(world.broken()).toEqual([]);
  world.endBlock();
  expect([lengthOf(world, 'payments.holds'), lengthOf(world, 'payments.spent_nonces')]).toEqual([0, 0]);
  expect(world.composition.bank.balance(world.context, CODEC.toBytes(someone(7)), 'uopen')).toBe(1n);
});

function stakingParams(): JsonObject {
  const base = stakingSections({ validators: VALIDATORS, accounts: ACCOUNTS });
  return new JsonReader(base, '').member('staking').member('params').object();
}

function hasHeader(world: StakingWorld, height: number): boolean {
  const path = '/cosmos.staking.v1beta1.Query/HistoricalInfo';
  const route = world.composition.modules.flatMap(({ queries }) => queries).find((one) => one.path === path);
  try {
    route?.answer(world.context, QueryHistoricalInfoRequest.encode({ height: BigInt(height) }));
    return route !== undefined;
  } catch {
    return false;
  }
}

it('number of accounts changes nothing: hooks cost the same gas of state, whoever has stakes and grants', () => {
  const cost = (people: number): number => {
    const allowance = {
      '@type': '/cosmos.feegrant.v1beta1.BasicAllowance',
      spend_limit: [],
      expiration: at(9_000_000),
    };
    const world = chainOf({
      staking: {
        unbonding_delegations: times(people, (i) => ({
          ...unbonding(i),
          entries: [{ ...entry(i), balance: '1', completion_time: at(9_000_000) }],
        })),
      },
      sections: {
        feegrant: {
          allowances: times(people, (i) => ({ granter: someone(0), grantee: someone(i + 1), allowance })),
        },
      },
      held: { not_bonded_tokens_pool: people },
      coins: times(people, someone),
    });
    for (let i = 0; i < 3; i++) world.endBlock(1n, { lastCommit: votesOf(world) });
    const { gas } = world.context;
    const before = gas.consumed;
    world.endBlock(1n, { lastCommit: votesOf(world) });
    return gas.consumed - before + world.context.gas.consumed;
  };
  // Numbers in values may be some digits longer.
  expect(Math.abs(cost(400) - cost(4))).toBeLessThan(1000);
});

it('every hook of every module is in the table, and no other', () => {
  const { modules } = composeModules('open');
  const there = modules.flatMap((module) =>
    (['preBlock', 'beginBlock', 'endBlock'] as const)
      .filter((when) => module[when] !== undefined)
      .map((when) => `${module.name} ${when}`),
  );
  expect([...new Set(HOOKS.map(({ module, when }) => `${module} ${when}`))].sort()).toEqual(there.sort());
});
