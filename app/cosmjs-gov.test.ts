/** Stock CosmJS against governance: what it signs is executed, what it asks is answered in its types. */
import { Secp256k1Wallet } from '@cosmjs/amino';
import { DirectSecp256k1Wallet, type OfflineSigner } from '@cosmjs/proto-signing';
import {
  assertIsDeliverTxSuccess,
  type GovExtension,
  QueryClient,
  setupGovExtension,
  SigningStargateClient,
} from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import { TextProposal } from 'cosmjs-types/cosmos/gov/v1beta1/gov';
import { afterEach, expect, it } from 'vitest';
import { GOV_PARAMS } from '../test/support/gov-world.ts';
import { stakingSections } from '../test/support/staking-world.ts';
import { type TestAccount, TestChain, testAccount } from '../test/support/test-chain.ts';
import { TestRpc } from '../test/support/test-rpc.ts';

const FEE = { amount: [{ denom: 'uopen', amount: '5000' }], gas: '400000' };
const running: TestRpc[] = [];

afterEach(() => {
  for (const rpc of running.splice(0)) rpc.stop();
});

/** A validator that account 0 operates. */
async function rpcOf(): Promise<string> {
  const accounts = Array.from({ length: 3 }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({ accounts, validators: [10_000_000n] });
  const gov = { starting_proposal_id: '1', params: GOV_PARAMS };
  const chain = new TestChain({ accounts: 3, genesis: { validators: [], sections: { ...sections, gov } } });
  const rpc = new TestRpc(chain);
  running.push(rpc);
  return await rpc.start();
}

const direct = (account: TestAccount): Promise<OfflineSigner> =>
  DirectSecp256k1Wallet.fromKey(account.privateKey, 'open');
const amino = (account: TestAccount): Promise<OfflineSigner> =>
  Secp256k1Wallet.fromKey(account.privateKey, 'open');

it.each([
  ['direct', direct],
  ['amino', amino],
] as const)(
  'CosmJS proposes, deposits and votes, plainly and in parts (%s)',
  async (_, wallet) => {
    const url = await rpcOf();
    const voter = testAccount('0');
    const client = await SigningStargateClient.connectWithSigner(url, await wallet(voter), {
      broadcastPollIntervalMs: 50,
    });
    const query: QueryClient & GovExtension = QueryClient.withExtensions(
      await connectComet(url),
      setupGovExtension,
    );
    const content = {
      typeUrl: '/cosmos.gov.v1beta1.TextProposal',
      value: TextProposal.encode({ title: 'text', description: 'what it says' }).finish(),
    };
    const send = async (name: string, value: object): Promise<void> => {
      const typeUrl = `/cosmos.gov.v1beta1.${name}`;
      assertIsDeliverTxSuccess(await client.signAndBroadcast(voter.address, [{ typeUrl, value }], FEE));
    };
    const coins = (amount: string): object[] => [{ denom: 'uopen', amount }];
    await send('MsgSubmitProposal', {
      content,
      initialDeposit: coins('100'),
      proposer: voter.address,
    });
    await send('MsgDeposit', { proposalId: 1n, depositor: voter.address, amount: coins('900') });
    await send('MsgVote', { proposalId: 1n, voter: voter.address, option: 3 });
    const weight = (option: number, text: string): object => ({ option, weight: text });
    await send('MsgVoteWeighted', {
      proposalId: 1n,
      voter: voter.address,
      options: [weight(1, '750000000000000000'), weight(2, '250000000000000000')],
    });
    const { proposal } = await query.gov.proposal(1);
    expect(proposal.content).toEqual(content);
    expect(proposal.status).toBe(2);
    expect((await query.gov.votes(1)).votes).toMatchObject([{ voter: voter.address, proposalId: 1n }]);
    expect((await query.gov.deposits(1)).deposits).toMatchObject([{ amount: coins('1000') }]);
    expect((await query.gov.tally(1)).tally).toMatchObject({ yes: '7500000', abstain: '2500000', no: '0' });
    expect((await query.gov.params('voting')).votingParams).toMatchObject({
      votingPeriod: { seconds: 100n, nanos: 0 },
    });
  },
  60_000,
);
