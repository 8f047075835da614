/**
 * The README's way to a fifth validator: a node made by hand joins a running devnet, and CosmJS makes it a
 * validator with MsgCreateValidator; blocks then carry its signature, and some are its own.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fromBech32, toBech32 } from '@cosmjs/encoding';
import { encodePubkey, type EncodeObject } from '@cosmjs/proto-signing';
import { assertIsDeliverTxSuccess, QueryClient, setupStakingExtension } from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import { MsgCreateValidator, MsgEditValidator } from 'cosmjs-types/cosmos/staking/v1beta1/tx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DevnetAccount } from '../../cli/devnet/record.ts';
import { RunningDevnet, RunningNode, runProgram, temporaryHome } from './program.ts';
import { call } from './rpc.ts';
import { signingClient } from './wallet.ts';

const STUCK_MS = 600_000;
/** Its power is 200 of 600: it proposes every third block. */
const STAKE = '200000000';
/** After the transaction: staking tells consensus at once, the set changes two heights later. */
const HEIGHTS_MAX = 40;
const FLAG_COMMIT = 2;

interface ValidatorInfo {
  readonly address: string;
  readonly pub_key: { readonly type: 'tendermint/PubKeyEd25519'; readonly value: string };
}

let home = '';
let elsewhere = '';
let devnet: RunningDevnet;
let node: RunningNode | undefined;

beforeAll(async () => {
  home = temporaryHome();
  elsewhere = temporaryHome();
  const options = ['--rpc-port', '0', '--block-time', '200ms', '--accounts', '2'];
  devnet = await RunningDevnet.start(['--home', home, ...options]);
  await devnet.waitForHeight(2);
}, STUCK_MS);

afterAll(async () => {
  await node?.stop();
  await devnet?.stop();
  for (const each of [home, elsewhere]) rmSync(each, { recursive: true, force: true });
});

async function joinedNode(): Promise<RunningNode> {
  const { nodes } = devnet.ready;
  const joiner = join(elsewhere, 'my-node');
  const genesis = join(nodes[0]?.home ?? '', 'config', 'genesis.json');
  const any = 'tcp://127.0.0.1:0';
  const made = await runProgram([
    ...['init', 'my-node', '--home', joiner, '--genesis', genesis],
    ...['--persistent-peers', nodes[0]?.p2p ?? '', '--rpc-laddr', any, '--p2p-laddr', any],
  ]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  return RunningNode.start(joiner);
}

/** An account becomes the operator of the node behind an RPC. */
async function becomeValidator(rpc: string, operator: DevnetAccount): Promise<ValidatorInfo> {
  const { validator_info } = await call<{ validator_info: ValidatorInfo }>(rpc, 'status');
  const { denom, prefix } = devnet.ready;
  const value = MsgCreateValidator.fromPartial({
    description: { moniker: 'my-node' },
    commission: {
      rate: '100000000000000000', // 0.1, in units of 10^-18
      maxRate: '200000000000000000',
      maxChangeRate: '10000000000000000',
    },
    minSelfDelegation: '1',
    validatorAddress: toBech32(`${prefix}valoper`, fromBech32(operator.address).data),
    pubkey: encodePubkey(validator_info.pub_key),
    value: { denom, amount: STAKE },
  });
  const message = { typeUrl: '/cosmos.staking.v1beta1.MsgCreateValidator', value };
  const client = await signingClient(devnet.ready, operator, rpc);
  assertIsDeliverTxSuccess(await client.signAndBroadcast(operator.address, [message], 'auto'));
  client.disconnect();
  return validator_info;
}

/** The operator says more about itself; CosmJS reads it back. */
async function describeValidator(rpc: string, operator: DevnetAccount): Promise<void> {
  const unchanged = '[do-not-modify]';
  const validatorAddress = toBech32(`${devnet.ready.prefix}valoper`, fromBech32(operator.address).data);
  const edit = (minSelfDelegation: string): EncodeObject => ({
    typeUrl: '/cosmos.staking.v1beta1.MsgEditValidator',
    value: MsgEditValidator.fromPartial({
      description: {
        moniker: unchanged,
        identity: unchanged,
        website: 'https://my-node.example',
        securityContact: unchanged,
        details: 'made by hand',
      },
      validatorAddress,
      commissionRate: '',
      minSelfDelegation,
    }),
  });
  const client = await signingClient(devnet.ready, operator, rpc);
  assertIsDeliverTxSuccess(await client.signAndBroadcast(operator.address, [edit('2')], 'auto'));
  const fee = { amount: [{ denom: devnet.ready.denom, amount: '5000' }], gas: '300000' };
  expect(await client.signAndBroadcast(operator.address, [edit('1')], fee)).toMatchObject({
    code: 17,
    rawLog: expect.stringContaining('minimum self delegation cannot be decrease'),
  });
  client.disconnect();
  const query = QueryClient.withExtensions(await connectComet(rpc), setupStakingExtension);
  expect((await query.staking.validator(validatorAddress)).validator).toMatchObject({
    status: 3,
    tokens: STAKE,
    minSelfDelegation: '2',
    description: { moniker: 'my-node', website: 'https://my-node.example', details: 'made by hand' },
    commission: { commissionRates: { rate: '100000000000000000' } },
  });
}

/** Signatures of the commit of a height, by the addresses of those who voted for the block. */
async function signersOf(rpc: string, height: number): Promise<readonly string[]> {
  const { signed_header } = await call<{
    signed_header: { commit: { signatures: { block_id_flag: number; validator_address: string }[] } };
  }>(rpc, 'commit', { height: String(height) });
  return signed_header.commit.signatures
    .filter(({ block_id_flag }) => block_id_flag === FLAG_COMMIT)
    .map(({ validator_address }) => validator_address);
}

async function proposerOf(rpc: string, height: number): Promise<string> {
  const { block } = await call<{ block: { header: { proposer_address: string } } }>(rpc, 'block', {
    height: String(height),
  });
  return block.header.proposer_address;
}

it('a fifth node, started by hand, becomes a validator over CosmJS, signs, proposes and is edited', async () => {
  node = await joinedNode();
  const rpcOfDevnet = devnet.ready.nodes[1]?.rpc ?? '';
  await node.waitForHeight(devnet.height);
  const [, bob] = devnet.ready.accounts;
  if (bob === undefined) throw new Error('there is no second account');
  const before = await call<{ validators: unknown[] }>(rpcOfDevnet, 'validators');
  expect(before.validators).toHaveLength(4);
  const { address } = await becomeValidator(node.rpc, bob);

  let signed = 0;
  let proposed = 0;
  const from = devnet.height;
  for (let height = from; height < from + HEIGHTS_MAX && (signed === 0 || proposed === 0); height++) {
    await devnet.waitForHeight(height + 1);
    if ((await signersOf(rpcOfDevnet, height)).includes(address)) signed++;
    if ((await proposerOf(rpcOfDevnet, height)) === address) proposed++;
  }
  expect(signed).toBeGreaterThan(0);
  expect(proposed).toBeGreaterThan(0);
  const after = await call<{ validators: { address: string; voting_power: string }[] }>(
    rpcOfDevnet,
    'validators',
  );
  expect(after.validators).toHaveLength(5);
  expect(after.validators.find((validator) => validator.address === address)?.voting_power).toBe('200');
  await describeValidator(node.rpc, bob);
});
