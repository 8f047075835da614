/** Stock CosmJS against staking: what it signs is executed, what it asks is answered in its types. */
import { Secp256k1Wallet } from '@cosmjs/amino';
import { DirectSecp256k1Wallet, type OfflineSigner } from '@cosmjs/proto-signing';
import {
  assertIsDeliverTxSuccess,
  QueryClient,
  setupStakingExtension,
  SigningStargateClient,
  type StakingExtension,
} from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import {
  MsgBeginRedelegate,
  MsgCreateValidator,
  MsgEditValidator,
} from 'cosmjs-types/cosmos/staking/v1beta1/tx';
import { afterEach, describe, expect, it } from 'vitest';
import { TestRpc } from '../test/support/test-rpc.ts';
import {
  type TestAccount,
  testAccount,
  TestChain,
  type TestChainOptions,
} from '../test/support/test-chain.ts';
import { consensusKeyAny, operatorText, stakingSections } from '../test/support/staking-world.ts';

const FEE = { amount: [{ denom: 'uopen', amount: '5000' }], gas: '200000' };

/** A chain of two validators, operated by accounts 0 and 1. */
function stakingChain(options: TestChainOptions = {}): TestChain {
  const accounts = Array.from({ length: 4 }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({ accounts, validators: [10_000_000n, 20_000_000n] });
  return new TestChain({ accounts: 4, genesis: { validators: [], sections }, ...options });
}

const running: TestRpc[] = [];
afterEach(() => {
  for (const rpc of running.splice(0)) rpc.stop();
});

interface Clients {
  readonly chain: TestChain;
  readonly client: SigningStargateClient;
  readonly query: QueryClient & StakingExtension;
}

async function clientsOf(signer: OfflineSigner): Promise<Clients> {
  const chain = stakingChain();
  const rpc = new TestRpc(chain);
  running.push(rpc);
  const url = await rpc.start();
  const client = await SigningStargateClient.connectWithSigner(url, signer, {
    broadcastPollIntervalMs: 50,
  });
  const query = QueryClient.withExtensions(await connectComet(url), setupStakingExtension);
  return { chain, client, query };
}

const coin = (amount: string): { readonly denom: string; readonly amount: string } => ({
  denom: 'uopen',
  amount,
});

const direct = (account: TestAccount): Promise<OfflineSigner> =>
  DirectSecp256k1Wallet.fromKey(account.privateKey, 'open');
const amino = (account: TestAccount): Promise<OfflineSigner> =>
  Secp256k1Wallet.fromKey(account.privateKey, 'open');

describe('CosmJS', () => {
  it.each([
    ['direct', direct],
    ['amino', amino],
  ] as const)('delegates, redelegates, undelegates and asks about it (%s)', async (_, wallet) => {
    const delegator = testAccount('2');
    const { chain, client, query } = await clientsOf(await wallet(delegator));
    const [first, second] = [operatorText(testAccount('0')), operatorText(testAccount('1'))];
    const sent = await client.delegateTokens(delegator.address, first, coin('4000'), FEE);
    assertIsDeliverTxSuccess(sent);
    expect(Number(sent.gasUsed)).toBeGreaterThan(100_000);
    expect(Number(sent.gasUsed)).toBeLessThan(200_000);
    const value = MsgBeginRedelegate.fromPartial({
      delegatorAddress: delegator.address,
      validatorSrcAddress: first,
      validatorDstAddress: second,
      amount: coin('1000'),
    });
    const typeUrl = '/cosmos.staking.v1beta1.MsgBeginRedelegate';
    const moved = await client.signAndBroadcast(delegator.address, [{ typeUrl, value }], {
      ...FEE,
      gas: '300000',
    });
    assertIsDeliverTxSuccess(moved);
    const back = await client.undelegateTokens(delegator.address, first, coin('500'), {
      ...FEE,
      gas: '300000',
    });
    assertIsDeliverTxSuccess(back);

    const { delegationResponse } = await query.staking.delegation(delegator.address, first);
    expect(delegationResponse?.balance).toEqual(coin('2500'));
    expect(delegationResponse?.delegation.shares).toBe('2500000000000000000000');
    const { delegationResponses } = await query.staking.delegatorDelegations(delegator.address);
    expect(delegationResponses.map(({ balance }) => balance.amount).toSorted()).toEqual(['1000', '2500']);
    const { unbondingResponses } = await query.staking.delegatorUnbondingDelegations(delegator.address);
    expect(unbondingResponses[0]?.entries[0]?.balance).toBe('500');
    const { redelegationResponses } = await query.staking.redelegations(delegator.address, first, second);
    expect(redelegationResponses[0]?.entries[0]).toMatchObject({ balance: '1000' });
    const { validators } = await query.staking.delegatorValidators(delegator.address);
    expect(validators.map(({ operatorAddress }) => operatorAddress).toSorted()).toEqual(
      [first, second].toSorted(),
    );
    expect((await query.staking.delegatorValidator(delegator.address, first)).validator.jailed).toBe(false);
    expect((await query.staking.unbondingDelegation(delegator.address, first)).unbond.entries).toHaveLength(
      1,
    );
    expect((await query.staking.validatorDelegations(first)).delegationResponses).toHaveLength(2);
    expect((await query.staking.validatorUnbondingDelegations(first)).unbondingResponses).toHaveLength(1);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('asks about validators, parameters, the pool and history', async () => {
    const { chain, query } = await clientsOf(await direct(testAccount('2')));
    chain.block();
    const { validators } = await query.staking.validators('BOND_STATUS_BONDED');
    expect(validators.map(({ tokens }) => tokens).toSorted()).toEqual(['10000000', '20000000']);
    expect((await query.staking.validators('BOND_STATUS_UNBONDED')).validators).toEqual([]);
    const operator = operatorText(testAccount('0'));
    const { validator } = await query.staking.validator(operator);
    expect(validator).toMatchObject({ operatorAddress: operator, description: { moniker: 'validator 0' } });
    expect(validator.consensusPubkey).toEqual(consensusKeyAny(0));
    const { params } = await query.staking.params();
    expect(params).toMatchObject({ maxValidators: 100, bondDenom: 'uopen', unbondingTime: { seconds: 10n } });
    const { pool } = await query.staking.pool();
    expect(pool).toEqual({ notBondedTokens: '0', bondedTokens: '30000000' });
    const { hist } = await query.staking.historicalInfo(Number(chain.height));
    expect(hist?.header).toMatchObject({ chainId: chain.chainId, height: chain.height });
    expect(hist?.header.appHash).toHaveLength(32);
    expect(hist?.valset.map(({ tokens }) => tokens)).toEqual(['20000000', '10000000']);
  });

  it('is told what is not there in the words that it knows', async () => {
    const { query } = await clientsOf(await direct(testAccount('2')));
    const nobody = testAccount('nobody');
    const [first, second] = [operatorText(testAccount('0')), operatorText(testAccount('1'))];
    const { staking } = query;
    await expect(staking.delegation(nobody.address, first)).rejects.toThrow(
      `(22): rpc error: code = NotFound desc = delegation with delegator ${nobody.address} not found ` +
        `for validator ${first}: key not found`,
    );
    await expect(staking.unbondingDelegation(nobody.address, first)).rejects.toThrow('key not found');
    await expect(staking.redelegations(nobody.address, first, second)).rejects.toThrow(
      'redelegation not found',
    );
    await expect(staking.validator(operatorText(nobody))).rejects.toThrow('not found: key not found');
    await expect(staking.historicalInfo(999)).rejects.toThrow('historical info for height 999 not found');
    await expect(staking.validator(nobody.address)).rejects.toThrow('(18)');
    expect((await staking.delegatorDelegations(nobody.address)).delegationResponses).toEqual([]);
  });

  it.each([
    ['direct', direct],
    ['amino', amino],
  ] as const)('makes a validator for less than 200,000 gas, and edits it (%s)', async (_, wallet) => {
    const account = testAccount('3');
    const { chain, client, query } = await clientsOf(await wallet(account));
    const validatorAddress = operatorText(account);
    const created = await client.signAndBroadcast(
      account.address,
      [
        {
          typeUrl: '/cosmos.staking.v1beta1.MsgCreateValidator',
          value: MsgCreateValidator.fromPartial({
            // All of them: CosmJS shows empty ones in JSON, the SDK leaves them out.
            description: {
              moniker: 'Three',
              identity: '3',
              website: 'https://three.example',
              securityContact: 'three@three.example',
              details: 'The third one',
            },
            commission: {
              rate: '100000000000000000',
              maxRate: '200000000000000000',
              maxChangeRate: '10000000000000000',
            },
            minSelfDelegation: '1',
            delegatorAddress: account.address,
            validatorAddress,
            pubkey: consensusKeyAny(3),
            value: coin('3000000'),
          }),
        },
      ],
      FEE,
    );
    assertIsDeliverTxSuccess(created);
    expect(Number(created.gasUsed)).toBeGreaterThan(80_000);
    expect(Number(created.gasUsed)).toBeLessThan(200_000);
    const edited = await client.signAndBroadcast(
      account.address,
      [
        {
          typeUrl: '/cosmos.staking.v1beta1.MsgEditValidator',
          value: MsgEditValidator.fromPartial({
            description: {
              moniker: '[do-not-modify]',
              identity: '[do-not-modify]',
              website: '[do-not-modify]',
              securityContact: '[do-not-modify]',
              details: 'Changed',
            },
            validatorAddress,
            commissionRate: '',
            minSelfDelegation: '2',
          }),
        },
      ],
      FEE,
    );
    assertIsDeliverTxSuccess(edited);
    expect((await query.staking.validator(validatorAddress)).validator).toMatchObject({
      status: 3,
      tokens: '3000000',
      minSelfDelegation: '2',
      description: { moniker: 'Three', details: 'Changed' },
    });
    expect(chain.app.composition.consensus.validators(chain.app.contextAt(chain.height))).toHaveLength(3);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });
});
