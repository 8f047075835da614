/** A chain on which every module has something in its state: for export, restore and upgrades. */
import { sha256 } from '../../core/hash.ts';
import { GenericAuthorization } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import { MsgGrant } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { MsgSetWithdrawAddress } from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import { BasicAllowance } from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import { MsgGrantAllowance } from '../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import { MsgSubmitProposal, MsgVote } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { MsgBeginRedelegate, MsgDelegate, MsgUndelegate } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { MsgCreateVestingAccount } from '../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { CommitInfo } from '../../proto/gen/tendermint/abci/types.ts';
import { deliverOk, payInference, paymentOf, playLoop } from './economic-loop.ts';
import { GOV_PARAMS } from './gov-world.ts';
import { consensusKey, operatorText, stakingSections } from './staking-world.ts';
import { anyOf, type TestAccount, TestChain, testAccount } from './test-chain.ts';

const OPERATORS = [0, 1, 2] as const;

/** 20 bytes: the address of the i-th validator's key. */
export function keyAddress(i: number): Uint8Array {
  return sha256(consensusKey(i)).slice(0, 20);
}

/** Votes of the first validators for the block before; the i-th is absent where told. */
export function busyVotes(count: number, absent?: number): CommitInfo['votes'] {
  return OPERATORS.slice(0, count).map((i) => ({
    validator: { address: keyAddress(i), power: 10n },
    blockIdFlag: i === absent ? 1 : 2,
  }));
}

/** What a delegation message names. */
function coin(amount: bigint): { readonly denom: string; readonly amount: string } {
  return { denom: 'uopen', amount: amount.toString() };
}

/**
 * Three validators, of which the second misses blocks and the third was convicted of two votes; delegations
 * with rewards, stake that unbonds and moves, proposals in both periods, grants, vesting, and the economic
 * loop.
 */
export function busyChain(): TestChain {
  const accounts = Array.from({ length: 7 }, (_, i) => testAccount(`${i}`));
  const params = { unbonding_time: '1000s' };
  const sections = stakingSections({ accounts, validators: [10_000_000n, 10_000_000n, 10_000_000n], params });
  const gov = { starting_proposal_id: '1', params: GOV_PARAMS };
  const chain = new TestChain({
    accounts: accounts.length,
    genesis: { validators: [], sections: { ...sections, gov } },
  });
  const loop = playLoop(chain);
  const quote = { contributionId: 1n, document: loop.documents[0], offset: 100, length: 300 };
  deliverOk(chain, loop.payer, paymentOf(payInference(loop.payer, [quote])));
  const operators = OPERATORS.map((i) => operatorText(chain.account(i)));
  stake(chain, operators);
  chain.blockOf({ votes: busyVotes(3, 1) });
  convict(chain);
  chain.blockOf({ votes: busyVotes(2) });
  grant(chain);
  chain.blockOf({ votes: busyVotes(2, 1) });
  propose(chain);
  return chain;
}

function stake(chain: TestChain, operators: readonly string[]): void {
  const [first = '', second = '', third = ''] = operators;
  const delegator = chain.account(5);
  const delegatorAddress = delegator.address;
  const delegate = (validatorAddress: string): Any =>
    anyOf(MsgDelegate, { delegatorAddress, validatorAddress, amount: coin(3_000_001n) });
  deliverOk(chain, delegator, delegate(first), delegate(second), delegate(third));
  chain.blockOf({ votes: busyVotes(3) });
  deliverOk(
    chain,
    delegator,
    anyOf(MsgUndelegate, { delegatorAddress, validatorAddress: first, amount: coin(1_000_000n) }),
    anyOf(MsgBeginRedelegate, {
      delegatorAddress,
      validatorSrcAddress: third,
      validatorDstAddress: second,
      amount: coin(500_000n),
    }),
    anyOf(MsgSetWithdrawAddress, { delegatorAddress, withdrawAddress: chain.account(4).address }),
  );
}

function convict(chain: TestChain): void {
  chain.blockOf({
    votes: busyVotes(3),
    misbehavior: [
      {
        type: 1,
        validator: { address: keyAddress(2), power: 13n },
        height: chain.height,
        time: { seconds: 1_700_000_000n + chain.height, nanos: 0 },
        totalVotingPower: 39n,
      },
    ],
  });
}

function grant(chain: TestChain): void {
  const [granter, grantee] = [chain.account(5), chain.account(6)];
  const parties = { granter: granter.address, grantee: grantee.address };
  const allowance = anyOf(BasicAllowance, { spendLimit: [coin(5n)], expiration: undefined });
  const generic = { msg: '/cosmos.bank.v1beta1.MsgSend' };
  const expiration = { seconds: 1_900_000_000n, nanos: 0 };
  deliverOk(
    chain,
    granter,
    anyOf(MsgGrantAllowance, { ...parties, allowance }),
    anyOf(MsgGrant, {
      ...parties,
      grant: { authorization: anyOf(GenericAuthorization, generic), expiration },
    }),
    anyOf(MsgCreateVestingAccount, {
      fromAddress: granter.address,
      toAddress: testAccount('vests').address,
      amount: [coin(1_000n)],
      endTime: 1_900_000_000n,
      delayed: false,
    }),
  );
}

function propose(chain: TestChain): void {
  const proposer: TestAccount = chain.account(0);
  const proposal = (amount: bigint): Any =>
    anyOf(
      MsgSubmitProposal,
      MsgSubmitProposal.create({
        initialDeposit: [coin(amount)],
        proposer: proposer.address,
        title: 'title',
        summary: 'summary',
        metadata: 'text only',
      }),
    );
  deliverOk(chain, proposer, proposal(1_000n), proposal(200n));
  deliverOk(
    chain,
    proposer,
    anyOf(MsgVote, { proposalId: 1n, voter: proposer.address, option: 1, metadata: '' }),
  );
}
