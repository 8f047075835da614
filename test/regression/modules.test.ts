/** What went wrong elsewhere with standard modules. `README.md` lists the advisories. */
import { expect, test } from 'vitest';
import { MODULE_ACCOUNTS } from '../../app/modules.ts';
import { defined } from '../../core/errors.ts';
import { moduleAddress } from '../../framework/address.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { shortEvidenceAge } from '../../genesis/stake.ts';
import { DEFAULT_PARAMS, paramsToJson } from '../../modules/auth/params.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../modules/consensus/params.ts';
import { isExpired } from '../../node/evidence/expiry.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { MsgUpdateParams } from '../../proto/gen/cosmos/consensus/v1/tx.ts';
import {
  MsgDepositValidatorRewardsPool,
  MsgDepositValidatorRewardsPoolResponse,
} from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as vesting from '../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { EvidenceParams } from '../../proto/gen/tendermint/types/params.ts';
import { GovWorld } from '../support/gov-world.ts';
import {
  collect,
  moduleCoins,
  nextBlock,
  undelegate,
  withdraw,
  withdrawCommission,
} from '../support/rewards.ts';
import { StakingWorld, stakingSections } from '../support/staking-world.ts';
import { anyOf, TestChain, testAccount } from '../support/test-chain.ts';

const UNBONDING_SECONDS = 1_814_400n;

/**
 * Sent: messages that make a vesting account where a module's account is, or will be. There: the module then
 * found an account that is none of a module, panicked while a block began or ended, and the chain stood.
 * Here: all three messages refuse the addresses of all modules, and a genesis with such an account does not
 * start.
 */
test('ASA-2024-003: no vesting account on the address of a module', () => {
  const chain = new TestChain();
  const sender = chain.account(0);
  const coins = [{ denom: 'uopen', amount: '5' }];
  for (const { name } of MODULE_ACCOUNTS) {
    const toAddress = chain.app.composition.addresses.toText(moduleAddress(name));
    const parties = { fromAddress: sender.address, toAddress };
    const endTime = 1_800_000_000n;
    const messages: readonly Any[] = [
      anyOf(vesting.MsgCreateVestingAccount, { ...parties, amount: coins, endTime, delayed: false }),
      anyOf(vesting.MsgCreatePermanentLockedAccount, { ...parties, amount: coins }),
      anyOf(vesting.MsgCreatePeriodicVestingAccount, {
        ...parties,
        startTime: 1_700_000_000n,
        vestingPeriods: [{ length: 9n, amount: coins }],
      }),
    ];
    for (const message of messages) {
      const result = chain.deliver(chain.sign(sender, [message]));
      expect(result, name).toMatchObject({ code: 4, log: /is not allowed to receive funds/ });
    }
  }
  expect(chain.deliver(chain.send(sender, chain.account(1).address, '1uopen')).code).toBe(0);
  const address = chain.app.composition.addresses.toText(moduleAddress('fee_collector'));
  const account = { address, pub_key: null, account_number: '0', sequence: '0' };
  const base_vesting_account = {
    base_account: account,
    original_vesting: coins,
    delegated_free: [],
    delegated_vesting: [],
    end_time: '1800000000',
  };
  for (const sent of [
    { '@type': '/cosmos.vesting.v1beta1.DelayedVestingAccount', base_vesting_account },
    { '@type': '/cosmos.auth.v1beta1.BaseAccount', ...account },
  ]) {
    const sections = { auth: { params: paramsToJson(DEFAULT_PARAMS), accounts: [sent] } };
    expect(() => new TestChain({ genesis: { sections } })).toThrow(
      /app_state.auth.accounts\[0\].* is not a module account, but its address is that of fee_collector/,
    );
  }
});

/**
 * Sent: two votes in one step, and the stake taken back at once. There: by default evidence counted for two
 * days or 100,000 blocks, stake was free after three weeks, and who was found out in between lost nothing.
 * Here: a chain that this program makes takes evidence for as long as stake needs to unbond, in time and in
 * blocks; of other documents `genesis validate`, `collect-gentxs` and `start` say so.
 */
test('ASA-2024-004: evidence counts until the stake that it is about is free', () => {
  const made = (blockTimeMs?: number): ReturnType<typeof buildGenesis> =>
    buildGenesis({
      chainId: 'a-1',
      genesisTime: { seconds: 1n, nanos: 0 },
      accounts: [],
      validators: [],
      sections: stakingSections({
        accounts: [testAccount('0')],
        validators: [10_000_000n],
        params: { unbonding_time: `${UNBONDING_SECONDS}s` },
      }),
      ...(blockTimeMs === undefined ? {} : { blockTimeMs }),
    });
  /** Of height 1, found in the last second before the stake is free, on a chain of five blocks a second. */
  const isTooOld = (evidence: EvidenceParams | undefined): boolean =>
    isExpired(
      { height: 1n, time: { seconds: 0n, nanos: 0 } },
      {
        chainId: 'a-1',
        lastBlockHeight: 1n + UNBONDING_SECONDS * 5n,
        lastBlockTime: { seconds: UNBONDING_SECONDS, nanos: 0 },
        consensusParams: { evidence: defined(evidence, 'evidence parameters') },
      },
    );
  expect(isTooOld(DEFAULT_CONSENSUS_PARAMS.evidence)).toBe(true);
  const { consensusParams } = made(200);
  expect(isTooOld(consensusParams.evidence)).toBe(false);
  expect(consensusParams.evidence).toMatchObject({
    maxAgeNumBlocks: UNBONDING_SECONDS * 5n,
    maxAgeDuration: { seconds: UNBONDING_SECONDS, nanos: 0 },
  });
  expect(shortEvidenceAge(made(200))).toBeUndefined();
  expect(shortEvidenceAge(made())).toMatch(/evidence counts for 48 h .* but stake is free after 504 h/);
});

/**
 * Sent: amounts near 2^256, deposited with a validator of one unit of stake and withdrawn, again and again.
 * There: the sum of rewards per token left its bits, every touch of the validator panicked, the one at the
 * end of a block among them, and the chain stood. Here: no more than 2^128 of a denomination are spread at a
 * time, which would take 2^127 times; what fees bring beyond goes to the community.
 */
test('GHSA-p22h-3m2v-cmgh: historical rewards do not overflow', () => {
  const world = new StakingWorld({ validators: [10_000_000n, 10_000_000n], coins: 1n << 252n });
  undelegate(world, 1, 1, 9_999_999n);
  nextBlock(world);
  const types = { message: MsgDepositValidatorRewardsPool, response: MsgDepositValidatorRewardsPoolResponse };
  const deposit = (amount: bigint): void => {
    const coins = [{ denom: 'uopen', amount: amount.toString() }];
    const depositor = world.account(4).address;
    world.run(types, { depositor, validatorAddress: world.operator(1), amount: coins });
  };
  for (let round = 0; round < 20; round++) {
    for (const amount of [1n << 251n, (1n << 128n) + 1n])
      expect(() => deposit(amount)).toThrow('is larger than 340282366920938463463374607431768211456');
    deposit(1n << 128n);
    nextBlock(world);
    expect(withdraw(world, 1, 1)).toBe(`${((1n << 128n) * 9n) / 10n}uopen`);
    withdrawCommission(world, 1);
  }
  for (let round = 0; round < 6; round++) {
    collect(world, `${1n << 249n}uopen`);
    nextBlock(world);
  }
  expect(moduleCoins(world, 'fee_collector')).toEqual([]);
  expect(withdraw(world, 0, 0)).toBe('0uopen');
  expect(world.broken()).toEqual([]);
});

/**
 * Sent: proposals whose messages fail when they are carried out. There: an error of the group module at the
 * end of a block stopped the chain. There is no such module here; governance is the one that carries out
 * messages at the end of blocks: one that fails is undone and its proposal has failed, nothing else.
 */
test('ASA-2025-003 of the SDK (GHSA-x5vx-95h7-rv4p), ISA-2025-002: what fails at the end of a block', () => {
  const world = new GovWorld([10_000_000n]);
  const { authority } = world;
  const amount = [{ denom: 'uopen', amount: '5000000' }];
  const { block, evidence } = DEFAULT_CONSENSUS_PARAMS;
  /** Not the kind of key that the validators have: the engine would stop. */
  const validator = { pubKeyTypes: ['secp256k1'] };
  const failing: readonly Any[] = [
    anyOf(MsgSend, { fromAddress: authority, toAddress: world.account(4).address, amount }),
    anyOf(MsgUpdateParams, { authority, block, evidence, validator, abci: undefined }),
  ];
  const ids = failing.map((message) => world.submit(3, [message]));
  for (const id of ids) world.vote(0, id, { 1: '1' });
  world.endBlock(100n);
  world.endBlock();
  expect(ids.map((id) => world.proposal(id).status)).toEqual([5, 5]);
  const next = world.submit(3, [], { metadata: 'x' });
  world.vote(0, next, { 1: '1' });
  world.endBlock(100n);
  world.endBlock();
  expect(world.proposal(next).status).toBe(3);
  expect(world.broken()).toEqual([]);
});
