import { Secp256k1HdWallet } from '@cosmjs/amino';
import { fromBech32, toBech32 } from '@cosmjs/encoding';
import { DirectSecp256k1HdWallet, type EncodeObject, type OfflineSigner } from '@cosmjs/proto-signing';
import { SigningStargateClient } from '@cosmjs/stargate';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { Claim } from '../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  MsgContribute,
  MsgContributeResponse,
  MsgCreateDatanet,
} from '../proto/gen/openledger/datanet/v1/tx.ts';
import { MsgRegisterModel } from '../proto/gen/openledger/models/v1/tx.ts';
import { MsgPayInference } from '../proto/gen/openledger/payments/v1/tx.ts';
import { TestChain } from '../test/support/test-chain.ts';
import type { ExecTxResult } from '../proto/gen/tendermint/abci/types.ts';
import { TxMsgData } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import { fromAmino, toAmino } from './amino.ts';
import {
  aminoConverters,
  claimOf,
  complete,
  contribute,
  createAminoTypes,
  createDatanet,
  createRegistry,
  MESSAGES,
  openAnswer,
  payInference,
  problemOfClaim,
  provableContent,
  publishSnapshot,
  registerModel,
  requestHash,
  responsesOf,
  updateAllowList,
} from './index.ts';

const document = provableContent(utf8('We the people of the United States. '.repeat(60)));

const payment = MsgPayInference.create({
  payer: 'open1xyz',
  modelId: 1n,
  requestHash: requestHash({ modelId: 1n, prompt: 'who?', nonce: Uint8Array.of(1) }),
  tokensOut: 3n,
  answer: openAnswer(document.content.subarray(300, 400)),
  claim: claimOf([{ contributionId: 7n, source: document, answerOffset: 0, sourceOffset: 300, length: 100 }]),
  maxFee: { denom: 'uopen', amount: '10' },
});

test('the registry encodes and decodes as the chain does', () => {
  const registry = createRegistry();
  const { typeUrl } = MsgPayInference;
  const bytes = registry.encode({ typeUrl, value: payment });
  expect(toHex(bytes)).toBe(toHex(MsgPayInference.encode(payment)));
  expect(registry.decode({ typeUrl, value: bytes })).toEqual(MsgPayInference.decode(bytes));
});

test('a message with fields missing, or with numbers for 64-bit fields, is completed', () => {
  expect(complete(MsgContribute, { datanetId: 5, uris: ['x'] })).toEqual(
    MsgContribute.create({ datanetId: 5n, uris: ['x'] }),
  );
  expect(complete(MsgPayInference, { claim: {} }).claim).toEqual(Claim.create());
});

test('amino JSON leaves defaults out, writes numbers as text, and reads back', () => {
  const converters = aminoConverters();
  expect(Object.keys(converters).length).toBe(MESSAGES.length);
  const json = toAmino(MsgPayInference, payment);
  expect(json).toMatchObject({ model_id: '1', tokens_out: '3', max_fee: { denom: 'uopen', amount: '10' } });
  expect(Object.keys(json)).not.toContain('tokens_in');
  const back = fromAmino(MsgPayInference, JSON.parse(JSON.stringify(json)));
  expect(toHex(MsgPayInference.encode(back))).toBe(toHex(MsgPayInference.encode(payment)));
  fc.assert(
    fc.property(
      fc.record({
        contributor: fc.string(),
        datanetId: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        root: fc.uint8Array({ maxLength: 40 }),
        uris: fc.array(fc.string(), { maxLength: 3 }),
      }),
      (fields) => {
        const message = MsgContribute.create(fields);
        expect(fromAmino(MsgContribute, toAmino(MsgContribute, message))).toEqual(message);
      },
    ),
  );
});

test('what the verifier says before sending is what the chain would say', () => {
  const limits = {
    spansMax: 4,
    spanBytesMin: 16,
    spanBytesMax: 4096,
    answerBytesMax: 5000,
    proofBytesMax: 9000,
  };
  expect(problemOfClaim(payment, limits, () => document.commitment)).toBeUndefined();
  expect(problemOfClaim(payment, limits, () => undefined)?.kind).toBe('unknown-contribution');
});

const MNEMONIC = `${'abandon '.repeat(11)}about`;
const WALLET = { prefix: 'open' };

/** The whole economic loop as one account plays it, message by message. */
function wholeLoop(account: string): readonly EncodeObject[] {
  const { root, byteLength } = document.commitment;
  const quotation = { contributionId: 1n, source: document, answerOffset: 0, sourceOffset: 300, length: 100 };
  const texts = { domain: 'law', mediaType: 'text/plain', licence: 'CC0-1.0', schema: '<text> & more' };
  return [
    createDatanet(MsgCreateDatanet.create({ owner: account, slug: 'law', ...texts, admission: 2 })),
    updateAllowList({ owner: account, datanetId: 1n, add: [account], remove: [] }),
    contribute(
      MsgContribute.create({ contributor: account, datanetId: 1n, root, byteLength: BigInt(byteLength) }),
    ),
    publishSnapshot({ publisher: account, datanetId: 1n }),
    registerModel(
      MsgRegisterModel.create({
        owner: account,
        name: 'm',
        weightsRoot: root,
        snapshotIds: [1n],
        price: { denom: 'uopen', inPer1000: '0', outPer1000: '7', perCall: '100' },
        attributionMethod: 1,
      }),
    ),
    payInference(
      MsgPayInference.create({
        ...payment,
        payer: account,
        claim: claimOf([quotation]),
        maxFee: { denom: 'uopen', amount: '1000' },
      }),
    ),
  ];
}

async function deliverLoop(signer: OfflineSigner): Promise<ExecTxResult> {
  const [account] = await signer.getAccounts();
  if (account === undefined) throw new RangeError('no account');
  const chain = new TestChain({ accounts: 1 });
  chain.deliver(chain.send(chain.account(0), account.address, '1000000uopen'));
  const { auth, addresses } = chain.app.composition;
  const found = auth.find(chain.app.contextAt(chain.height), addresses.toBytes(account.address));
  if (found === undefined) throw new RangeError('no account on chain');
  const options = { registry: createRegistry(), aminoTypes: createAminoTypes() };
  const client = await SigningStargateClient.offline(signer, options);
  const fee = { amount: [{ denom: 'uopen', amount: '5000' }], gas: '2000000' };
  const data = { accountNumber: found.accountNumber, sequence: 0, chainId: chain.chainId };
  const signed = await client.sign(account.address, wholeLoop(account.address), fee, '', data);
  return chain.deliver(TxRaw.encode(signed).finish());
}

test('every message that CosmJS signs in direct mode is delivered, and its response is decoded', async () => {
  const sent = await deliverLoop(await DirectSecp256k1HdWallet.fromMnemonic(MNEMONIC, WALLET));
  expect(sent.code, sent.log).toBe(0);
  const { msgResponses } = TxMsgData.decode(sent.data);
  const ids = responsesOf(MsgContributeResponse, msgResponses).map(({ contributionId }) => contributionId);
  expect(ids).toEqual([1n]);
});

test('every message that CosmJS signs in amino mode, as a hardware wallet does, is delivered', async () => {
  const sent = await deliverLoop(await Secp256k1HdWallet.fromMnemonic(MNEMONIC, WALLET));
  expect(sent.code, sent.log).toBe(0);
});

test('stock CosmJS reads bech32 with the packages that this project pins', () => {
  // @scure/base from 2.3.0 on refuses the unlimited length that @cosmjs/encoding asks for.
  expect(fromBech32(toBech32('open', new Uint8Array(20))).prefix).toBe('open');
});
