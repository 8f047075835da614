/**
 * Proposals as wallets make them, of `v1beta1` (text) and of `v1` (messages that are carried out), side by
 * side in the same transactions: one voting period for both.
 */
import type { EncodeObject } from '@cosmjs/proto-signing';
import { createProtobufRpcClient, type DeliverTxResponse } from '@cosmjs/stargate';
import { ModuleAccount } from 'cosmjs-types/cosmos/auth/v1beta1/auth';
import { QueryClientImpl as AuthQuery } from 'cosmjs-types/cosmos/auth/v1beta1/query';
import { MsgUpdateParams } from 'cosmjs-types/cosmos/consensus/v1/tx';
import { MsgCommunityPoolSpend } from 'cosmjs-types/cosmos/distribution/v1beta1/tx';
import { QueryClientImpl as GovQuery } from 'cosmjs-types/cosmos/gov/v1/query';
import { MsgSubmitProposalResponse } from 'cosmjs-types/cosmos/gov/v1/tx';
import { ProposalStatus, TextProposal, VoteOption } from 'cosmjs-types/cosmos/gov/v1beta1/gov';
import type { Any } from 'cosmjs-types/google/protobuf/any';
import { expect } from 'vitest';
import { call } from '../rpc.ts';
import { anyOf } from './amino.ts';
import type { Queries } from './devnet.ts';
import { answerOf, coin, eventsOf, type SigningKind, type Traveller } from './traveller.ts';

/** One of the token. */
const ONE = 1_000_000;
/** What is paid out of the community pool. */
const SPENT = 400_000;
const YES = VoteOption.VOTE_OPTION_YES;
const { PROPOSAL_STATUS_PASSED: PASSED, PROPOSAL_STATUS_VOTING_PERIOD: VOTING } = ProposalStatus;

/** Where proposals are made. */
export interface GovernanceWorld {
  readonly rpc: string;
  readonly query: Queries;
  readonly kind: SigningKind;
  /** Whom the two delegate to. */
  readonly validatorAddress: string;
  /** Resolves when a block has a time after that one, in milliseconds. */
  blockAfter(ms: number): Promise<void>;
}

type Version = 'v1' | 'v1beta1';

const message = (version: Version, name: string, value: object): EncodeObject => ({
  typeUrl: `/cosmos.gov.${version}.${name}`,
  value,
});

/** Limits of blocks that nobody meets here, and that tell the change. */
const BLOCK = { maxBytes: 2_000_000n, maxGas: 77_000_000n } as const;

interface ConsensusParamsJson {
  readonly consensus_params: {
    readonly block: Readonly<Record<'max_bytes' | 'max_gas', string>>;
    readonly evidence: Readonly<Record<'max_age_num_blocks' | 'max_age_duration' | 'max_bytes', string>>;
  };
}

function paramsAt(rpc: string, height?: number): Promise<ConsensusParamsJson> {
  return call(rpc, 'consensus_params', height === undefined ? {} : { height: String(height) });
}

/** Who signs directly has the blocks changed; who signs JSON has somebody paid. */
async function messagesOf({ rpc, query, kind }: GovernanceWorld, recipient: string): Promise<readonly Any[]> {
  const auth = new AuthQuery(createProtobufRpcClient(query));
  const { account } = await auth.ModuleAccountByName({ name: 'gov' });
  const { baseAccount } = ModuleAccount.decode(account?.value ?? new Uint8Array());
  const authority = baseAccount?.address ?? '';
  const spend = anyOf(MsgCommunityPoolSpend, { authority, recipient, amount: [coin(SPENT)] });
  if (kind === 'amino') return [spend];
  const { evidence } = (await paramsAt(rpc)).consensus_params;
  const params = {
    authority,
    block: BLOCK,
    evidence: {
      maxAgeNumBlocks: BigInt(evidence.max_age_num_blocks),
      maxAgeDuration: { seconds: BigInt(evidence.max_age_duration) / 1_000_000_000n, nanos: 0 },
      maxBytes: BigInt(evidence.max_bytes),
    },
    validator: { pubKeyTypes: ['ed25519'] },
  };
  return [anyOf(MsgUpdateParams, params), spend];
}

/** The way of a text and of a proposal with messages, from the stake of two to what came of them. */
export async function passProposals(
  world: GovernanceWorld,
  { one, other, payee }: Readonly<Record<'one' | 'other' | 'payee', Traveller>>,
): Promise<void> {
  const { query } = world;
  const gov = new GovQuery(createProtobufRpcClient(query));
  const stake = (amount: number, { address }: Traveller): EncodeObject => ({
    typeUrl: '/cosmos.staking.v1beta1.MsgDelegate',
    value: {
      delegatorAddress: address,
      validatorAddress: world.validatorAddress,
      amount: coin(amount * ONE),
    },
  });
  const messages = await messagesOf(world, payee.address);
  const content = anyOf(TextProposal, { title: 'text', description: 'what it says' });
  const initialDeposit = [coin(ONE)];
  const submission = { messages, title: 'change', summary: 'what it does', metadata: 'ipfs://x' };
  const [submitted] = await Promise.all([
    one.ok(
      stake(300, one),
      message('v1beta1', 'MsgSubmitProposal', { content, initialDeposit, proposer: one.address }),
      message('v1', 'MsgSubmitProposal', {
        ...submission,
        initialDeposit,
        proposer: one.address,
        expedited: false,
      }),
      {
        typeUrl: '/cosmos.distribution.v1beta1.MsgFundCommunityPool',
        value: { amount: [coin(ONE)], depositor: one.address },
      },
    ),
    other.ok(stake(100, other)),
  ]);
  const ids = [idOf(submitted, 1), idOf(submitted, 2)] as const;
  const [text, change] = ids;
  expect(eventsOf(submitted, 'submit_proposal')).toEqual(
    expect.arrayContaining(ids.map((id) => expect.objectContaining({ proposal_id: `${id}` }))),
  );
  expect((await gov.Proposal({ proposalId: change })).proposal).toMatchObject({
    ...submission,
    status: ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD,
    proposer: one.address,
    totalDeposit: initialDeposit,
  });
  const votes = (voter: string): EncodeObject[] => [
    message('v1beta1', 'MsgVote', { proposalId: text, voter, option: YES }),
    message('v1', 'MsgVote', { proposalId: change, voter, option: YES, metadata: 'why not' }),
  ];
  expect(await one.fails(...votes(one.address))).toEqual(inactive(text));
  const amount = [coin(9 * ONE)];
  const deposit = (version: Version, proposalId: bigint): EncodeObject =>
    message(version, 'MsgDeposit', { proposalId, depositor: other.address, amount });
  await other.ok(deposit('v1beta1', text), deposit('v1', change));
  await vote(world, gov, { one, other, ids, votes: votes(one.address) });

  const { proposal: open } = await gov.Proposal({ proposalId: change });
  expect(open).toMatchObject({ ...submission, status: VOTING });
  expect((await query.gov.proposal(Number(text))).proposal).toMatchObject({ content, status: VOTING });
  await world.blockAfter(Number(open?.votingEndTime?.seconds ?? 0n) * 1000 + 1000);
  expect(await one.fails(...votes(one.address))).toEqual(inactive(text));
  const counted = { yes: `${375 * ONE}`, abstain: `${25 * ONE}`, no: '0', noWithVeto: '0' };
  expect((await query.gov.proposal(Number(text))).proposal).toMatchObject({
    status: PASSED,
    finalTallyResult: counted,
  });
  expect((await gov.Proposal({ proposalId: change })).proposal).toMatchObject({
    status: PASSED,
    failedReason: '',
    finalTallyResult: {
      yesCount: counted.yes,
      abstainCount: counted.abstain,
      noCount: '0',
      noWithVetoCount: '0',
    },
  });
  for (const id of ids) expect((await query.gov.deposits(Number(id))).deposits).toEqual([]);
  expect((await query.bank.balance(payee.address, 'uopen')).amount).toBe(String(SPENT));
  if (world.kind === 'direct') await seesTheLimits(world, submitted.height);
}

interface Voters {
  readonly one: Traveller;
  readonly other: Traveller;
  readonly ids: readonly [text: bigint, change: bigint];
  readonly votes: readonly EncodeObject[];
}

/** One votes plainly, the other with weights: in `v1beta1` 18 digits without a point, in `v1` with one. */
async function vote(
  { query }: GovernanceWorld,
  gov: GovQuery,
  { one, other, ids: [text, change], votes }: Voters,
): Promise<void> {
  const weighted = (yes: string, abstain: string): readonly object[] => [
    { option: YES, weight: yes },
    { option: VoteOption.VOTE_OPTION_ABSTAIN, weight: abstain },
  ];
  const digits = weighted('750000000000000000', '250000000000000000');
  const decimals = weighted('0.750000000000000000', '0.250000000000000000');
  const voter = other.address;
  const voted = await Promise.all([
    one.ok(...votes),
    other.ok(
      message('v1beta1', 'MsgVoteWeighted', { proposalId: text, voter, options: digits }),
      message('v1', 'MsgVoteWeighted', { proposalId: change, voter, options: decimals, metadata: '' }),
    ),
  ]);
  const told = { option: '[{"option":1,"weight":"1.000000000000000000"}]' };
  expect(eventsOf(voted[0], 'proposal_vote')).toMatchObject([
    { ...told, proposal_id: `${text}` },
    { ...told, proposal_id: `${change}` },
  ]);
  expect((await query.gov.vote(Number(text), voter)).vote?.options).toEqual(digits);
  expect((await gov.Vote({ proposalId: change, voter })).vote?.options).toEqual(decimals);
  expect((await gov.Vote({ proposalId: change, voter: one.address })).vote?.metadata).toBe('why not');
  for (const id of [text, change]) {
    expect((await query.gov.votes(Number(id))).votes).toHaveLength(2);
    expect((await query.gov.deposits(Number(id))).deposits).toHaveLength(2);
  }
  const { tally } = await query.gov.tally(Number(text));
  expect(tally).toMatchObject({ yes: `${375 * ONE}`, abstain: `${25 * ONE}` });
}

/** From the block after the decision on; earlier blocks were made by the earlier limits. */
async function seesTheLimits({ rpc }: GovernanceWorld, before: number): Promise<void> {
  const { block } = (await paramsAt(rpc)).consensus_params;
  expect(block).toMatchObject({ max_bytes: String(BLOCK.maxBytes), max_gas: String(BLOCK.maxGas) });
  const earlier = (await paramsAt(rpc, before)).consensus_params.block;
  expect(earlier.max_gas).not.toBe(block.max_gas);
}

function idOf(submitted: DeliverTxResponse, index: number): bigint {
  return MsgSubmitProposalResponse.decode(answerOf(submitted, index)).proposalId;
}

const inactive = (id: bigint): { readonly code: number; readonly log: string } => ({
  code: 3,
  log: `failed to execute message; message index: 0: ${id}: inactive proposal`,
});
