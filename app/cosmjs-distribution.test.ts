/** Stock CosmJS against distribution: what it signs is executed, what it asks is answered in its types. */
import { Secp256k1Wallet } from '@cosmjs/amino';
import { DirectSecp256k1Wallet, type EncodeObject, type OfflineSigner } from '@cosmjs/proto-signing';
import {
  assertIsDeliverTxSuccess,
  type DistributionExtension,
  QueryClient,
  setupDistributionExtension,
  SigningStargateClient,
} from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import { afterEach, describe, expect, it } from 'vitest';
import { operatorText, stakingSections } from '../test/support/staking-world.ts';
import { type TestAccount, testAccount, TestChain } from '../test/support/test-chain.ts';
import { TestRpc } from '../test/support/test-rpc.ts';

const FEE = { amount: [{ denom: 'uopen', amount: '5000' }], gas: '300000' };

const running: TestRpc[] = [];
afterEach(() => {
  for (const rpc of running.splice(0)) rpc.stop();
});

interface Clients {
  readonly client: SigningStargateClient;
  readonly query: QueryClient & DistributionExtension;
}

async function clientsOf(signer: OfflineSigner): Promise<Clients> {
  const accounts = Array.from({ length: 3 }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({ accounts, validators: [10_000_000n] });
  const rpc = new TestRpc(new TestChain({ accounts: 3, genesis: { validators: [], sections } }));
  running.push(rpc);
  const url = await rpc.start();
  const client = await SigningStargateClient.connectWithSigner(url, signer, { broadcastPollIntervalMs: 50 });
  const query = QueryClient.withExtensions(await connectComet(url), setupDistributionExtension);
  return { client, query };
}

const direct = (account: TestAccount): Promise<OfflineSigner> =>
  DirectSecp256k1Wallet.fromKey(account.privateKey, 'open');
const amino = (account: TestAccount): Promise<OfflineSigner> =>
  Secp256k1Wallet.fromKey(account.privateKey, 'open');

describe('CosmJS', () => {
  it.each([
    ['direct', direct],
    ['amino', amino],
  ] as const)('funds the pool, redirects and withdraws rewards and commission (%s)', async (_, wallet) => {
    const operator = testAccount('0');
    const { client, query } = await clientsOf(await wallet(operator));
    const { address } = operator;
    const validatorAddress = operatorText(operator);
    const send = async (name: string, value: EncodeObject['value']): Promise<number> => {
      const message = { typeUrl: `/cosmos.distribution.v1beta1.${name}`, value };
      const sent = await client.signAndBroadcast(address, [message], FEE);
      assertIsDeliverTxSuccess(sent);
      return Number(sent.gasUsed);
    };
    await send('MsgFundCommunityPool', { depositor: address, amount: [{ denom: 'uopen', amount: '77' }] });
    await send('MsgSetWithdrawAddress', {
      delegatorAddress: address,
      withdrawAddress: testAccount('2').address,
    });
    const { withdrawAddress } = await query.distribution.delegatorWithdrawAddress(address);
    expect(withdrawAddress).toBe(testAccount('2').address);
    // The fees of the blocks before, 5,000 each: when there are no votes, all of it is the community's.
    const { pool } = await query.distribution.communityPool();
    expect(pool[0]?.denom).toBe('uopen');
    expect(BigInt(pool[0]?.amount ?? '0') % 10n ** 18n).toBe(0n);
    const { rewards } = await query.distribution.validatorOutstandingRewards(validatorAddress);
    const { total } = await query.distribution.delegationTotalRewards(address);
    expect(BigInt(rewards?.rewards[0]?.amount ?? '0')).toBeGreaterThanOrEqual(
      BigInt(total[0]?.amount ?? '0'),
    );
    const { params } = await query.distribution.params();
    expect(params).toMatchObject({ communityTax: '20000000000000000', withdrawAddrEnabled: true });
    const gas = await send('MsgWithdrawDelegatorReward', { delegatorAddress: address, validatorAddress });
    expect(gas).toBeGreaterThan(60_000);
    expect(gas).toBeLessThan(150_000);
  });
});
