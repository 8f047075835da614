import { afterEach, expect, test } from 'vitest';
import { sha256 } from '../core/hash.ts';
import { utf8 } from '../core/bytes.ts';
import { ed25519Signer, verifyEd25519 } from '../node/crypto/ed25519.ts';
import {
  MsgClaimVouchers,
  MsgCloseChannel,
  MsgOpenChannel,
  MsgRotateKey,
  MsgTopUpChannel,
} from '../proto/gen/openledger/channels/v1/tx.ts';
import { MsgRegisterGateway, MsgUpdateGateway } from '../proto/gen/openledger/settlement/v1/tx.ts';
import { rowFor, sessionSigner, voucherFor } from '../test/support/channels.ts';
import { TestChain } from '../test/support/test-chain.ts';
import { TestRpc } from '../test/support/test-rpc.ts';
import {
  channelId,
  channelMirror,
  chainTime,
  claimVouchers,
  closeChannel,
  connect,
  type Connection,
  encodeReceipt,
  gatewayChannel,
  mirrorsOfReceiver,
  openChannel,
  problemOfReceipt,
  receiptStatement,
  registerGateway,
  rotateKey,
  topUpChannel,
  updateGateway,
  walletOf,
} from './index.ts';

const MNEMONIC = `${'abandon '.repeat(11)}about`;
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const undo of cleanUp.splice(0)) undo();
});

async function world(): Promise<{
  readonly chain: TestChain;
  readonly connection: Connection;
  readonly address: string;
  readonly sendAll: (messages: readonly ReturnType<typeof openChannel>[]) => Promise<void>;
}> {
  const wallet = await walletOf(MNEMONIC, { prefix: 'open' });
  const [account] = await wallet.getAccounts();
  const address = account?.address ?? '';
  const coins = [{ denom: 'uopen', amount: 1_000_000_000n }];
  const chain = new TestChain({ genesis: { accounts: [{ address, coins }] } });
  const server = new TestRpc(chain);
  const connection = await connect(await server.start(), { gasPrice: '0.001uopen', pollIntervalMs: 5 });
  cleanUp.push(() => {
    connection.comet.disconnect();
    server.stop();
  });
  const signer = connection.signer(wallet);
  const sendAll = async (messages: readonly ReturnType<typeof openChannel>[]): Promise<void> => {
    const sent = await signer.signAndBroadcast(address, messages, 'auto');
    expect(sent.code, sent.rawLog).toBe(0);
  };
  return { chain, connection, address, sendAll };
}

test('a program opens a channel to a gateway, claims of it, and sees what the chain shows, through a node’s RPC', async () => {
  const { connection, address, sendAll, chain } = await world();
  const session = sessionSigner(address);
  const gateway = { gateway: address, receiptKey: session.key.key, endpoint: 'https://gateway.example' };
  await sendAll([registerGateway(MsgRegisterGateway.create(gateway))]);
  const config = gatewayChannel({
    payer: address,
    payerKey: session.key,
    gateway: address,
    gatewayKey: session.key,
    denom: 'uopen',
    withdrawDelay: 900,
    openBefore: (await chainTime(connection)) + 600n,
    salt: sha256(utf8('salt')),
  });
  const id = channelId(chain.chainId, config);
  expect(await channelMirror(connection, id, 7)).toBeUndefined();
  await sendAll([
    openChannel(MsgOpenChannel.create({ config, deposit: '1000' })),
    topUpChannel(
      MsgTopUpChannel.create({ sender: address, channelId: id, amount: { denom: 'uopen', amount: '500' } }),
    ),
    updateGateway(MsgUpdateGateway.create({ gateway: address, endpoint: 'https://b.example' })),
  ]);
  const row = rowFor(voucherFor(id, { lane: 3, cumulative: 90n, ceiling: 90n }), {
    signer: session,
    chainId: chain.chainId,
  });
  await sendAll([claimVouchers(MsgClaimVouchers.create({ claimer: address, rows: [row] }))]);
  const mirror = await channelMirror(connection, id, 7);
  expect(mirror).toMatchObject({ asOf: 7, lanes: [{ lane: 3, claimed: '90' }] });
  expect(mirror?.record.balance).toMatchObject({ deposited: '1500', claimed: '90' });
  expect(mirror?.blockTime).toBe(chain.time);
  expect(await mirrorsOfReceiver(connection, address, 7)).toEqual([mirror]);
  const { settlement } = connection.queries.openledger;
  expect((await settlement.gateway({ address })).gateway.endpoint).toBe('https://b.example');
  const { rounds } = await settlement.rounds({ gateway: address });
  expect(rounds).toMatchObject([{ id: 1n, claimed: '90', closed: false }]);
  expect((await settlement.lanes({ roundId: 1n })).lanes).toMatchObject([{ lane: 3, from: 0n, to: 90n }]);
  const other = sessionSigner('another');
  const rotation = { payer: address, channelId: id, payerAuthorizer: other.key };
  await sendAll([rotateKey(MsgRotateKey.create(rotation))]);
  const closing = { sender: address, channelId: id, total: '90', closeBefore: chain.time + 100n };
  await sendAll([closeChannel(MsgCloseChannel.create(closing))]);
  expect(await channelMirror(connection, id, 7)).toBeUndefined();
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('a receipt is believed when it states what was asked for, and the gateway signed it for this chain', () => {
  const { publicKey, sign } = ed25519Signer(sha256(utf8('gateway')));
  const hash = sha256(utf8('hash'));
  const parts = { platform: 1n, model: 2n, stakers: 3n, contributors: 4n };
  const receipt = {
    channel: sha256(utf8('channel')),
    lane: 2,
    before: 10n,
    after: 20n,
    modelId: 3n,
    tokensIn: 1,
    tokensOut: 2,
    requestHash: hash,
    responseHash: hash,
    attribution: new Uint8Array(32),
    parts,
  };
  const leaf = encodeReceipt(receipt);
  const signature = sign(receiptStatement('chain-1', 'open1gateway', leaf));
  const expected = {
    ...receipt,
    chainId: 'chain-1',
    gateway: 'open1gateway',
    receiptKey: publicKey,
    verify: verifyEd25519,
  };
  const problem = (change: Partial<typeof expected>, signed = { receipt: leaf, signature }) =>
    problemOfReceipt(signed, { ...expected, ...change });
  expect(problem({})).toBeUndefined();
  expect(problem({ channel: hash })).toContain('channel');
  expect(problem({ lane: 1 })).toContain('lane');
  expect(problem({ before: 9n })).toContain('charge');
  expect(problem({ after: 21n })).toContain('charge');
  expect(problem({ modelId: 4n })).toContain('model');
  expect(problem({ requestHash: sha256(hash) })).toContain('request');
  expect(problem({ chainId: 'chain-2' })).toContain('signature');
  expect(problem({ gateway: 'open1other' })).toContain('signature');
  expect(problem({ receiptKey: hash })).toContain('signature');
  expect(problem({}, { receipt: leaf.subarray(1), signature })).toContain('malformed');
  expect(problem({}, { receipt: leaf, signature: signature.map((byte) => byte ^ 1) })).toContain('signature');
});
