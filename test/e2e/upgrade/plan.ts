/** The way of an upgrade through governance, by stock CosmJS. */
import assert from 'node:assert/strict';
import type { EncodeObject } from '@cosmjs/proto-signing';
import { createProtobufRpcClient } from '@cosmjs/stargate';
import { QueryClientImpl as GovQuery } from 'cosmjs-types/cosmos/gov/v1/query';
import { MsgSubmitProposalResponse } from 'cosmjs-types/cosmos/gov/v1/tx';
import { ProposalStatus, VoteOption } from 'cosmjs-types/cosmos/gov/v1beta1/gov';
import { QueryClientImpl as UpgradeQuery } from 'cosmjs-types/cosmos/upgrade/v1beta1/query';
import { MsgSoftwareUpgrade } from 'cosmjs-types/cosmos/upgrade/v1beta1/tx';
import { setTimeout as delay } from 'node:timers/promises';
import type { DevnetRecord } from '../../../cli/devnet/record.ts';
import { anyOf } from '../journey/amino.ts';
import { queriesOf } from '../journey/devnet.ts';
import { answerOf, coin, traveller } from '../journey/traveller.ts';
import { heightOf } from '../rpc.ts';

/** More than the devnet's own stake together: 100 a validator. */
const STAKE = 900_000_000;
const DEPOSIT = 10_000_000;
const POLL_MS = 250;

/** What is to be done. */
export interface PlanOrder {
  readonly rpc: string;
  readonly record: DevnetRecord;
  readonly name: string;
  /** From now to the plan's height. */
  readonly blocks: number;
}

/** What will be done. */
export interface Planned {
  readonly proposalId: bigint;
  readonly height: number;
  readonly info: string;
}

/** Stakes, proposes, votes, and waits until the plan is made. @throws Error when it is not */
export async function planUpgrade({ rpc, record, name, blocks }: PlanOrder): Promise<Planned> {
  const query = await queriesOf(rpc);
  const voter = await traveller(rpc, 'direct', record.accounts[0]?.mnemonic);
  const client = createProtobufRpcClient(query);
  const upgrade = new UpgradeQuery(client);
  const { address: authority } = await upgrade.Authority({});
  const info = 'https://example.org/v2';
  const height = (await heightOf(rpc)) + blocks;
  const plan = { name, height: BigInt(height), info };
  const stake: EncodeObject = {
    typeUrl: '/cosmos.staking.v1beta1.MsgDelegate',
    value: {
      delegatorAddress: voter.address,
      validatorAddress: record.nodes[0]?.operator ?? '',
      amount: coin(STAKE),
    },
  };
  const submitted = await voter.ok(stake, {
    typeUrl: '/cosmos.gov.v1.MsgSubmitProposal',
    value: {
      messages: [anyOf(MsgSoftwareUpgrade, { authority, plan })],
      initialDeposit: [coin(DEPOSIT)],
      proposer: voter.address,
      metadata: '',
      title: name,
      summary: 'the next release',
      expedited: false,
    },
  });
  const { proposalId } = MsgSubmitProposalResponse.decode(answerOf(submitted, 1));
  await voter.ok({
    typeUrl: '/cosmos.gov.v1.MsgVote',
    value: { proposalId, voter: voter.address, option: VoteOption.VOTE_OPTION_YES, metadata: '' },
  });
  const gov = new GovQuery(client);
  let status = ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD;
  while (status === ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD) {
    await delay(POLL_MS);
    status = (await gov.Proposal({ proposalId })).proposal?.status ?? ProposalStatus.UNRECOGNIZED;
  }
  assert.equal(ProposalStatus[status], 'PROPOSAL_STATUS_PASSED');
  const { plan: current } = await upgrade.CurrentPlan({});
  assert.deepEqual([current?.name, current?.height, current?.info], [name, plan.height, info]);
  return { proposalId, height, info };
}
