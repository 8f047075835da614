import { Secp256k1HdWallet } from '@cosmjs/amino';
import { DirectSecp256k1HdWallet, type OfflineSigner } from '@cosmjs/proto-signing';
import { SigningStargateClient } from '@cosmjs/stargate';
import { SignMode } from 'cosmjs-types/cosmos/tx/signing/v1beta1/signing';
import { AuthInfo, TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { Claim } from '../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  MsgContribute,
  MsgContributeResponse,
  MsgCreateDatanet,
} from '../proto/gen/openledger/datanet/v1/tx.ts';
import { MsgPayInference } from '../proto/gen/openledger/payments/v1/tx.ts';
import { TestChain } from '../test/support/test-chain.ts';
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
  openAnswer,
  problemOfClaim,
  provableContent,
  requestHash,
  responsesOf,
} from './index.ts';

const document = provableContent(utf8('We the people of the United States. '.repeat(60)));

const payment = MsgPayInference.create({
  payer: 'open1xyz',
  modelId: 1n,
  requestHash: requestHash({ modelId: 1n, prompt: 'who?', nonce: Uint8Array.of(1) }),
  tokensIn: 3n,
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
  expect(Object.keys(converters).length).toBe(6);
  const json = toAmino(MsgPayInference, payment);
  expect(json).toMatchObject({ model_id: '1', tokens_in: '3', max_fee: { denom: 'uopen', amount: '10' } });
  expect(Object.keys(json)).not.toContain('tokens_out');
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

interface Signing {
  readonly chainId: string;
  readonly accountNumber: bigint;
  readonly sequence: number;
}

/** A transaction that opens a Datanet and contributes to it, signed by CosmJS. */
async function signWith(signer: OfflineSigner, data: Signing): Promise<Uint8Array> {
  const options = { registry: createRegistry(), aminoTypes: createAminoTypes() };
  const client = await SigningStargateClient.offline(signer, options);
  const [account] = await signer.getAccounts();
  if (account === undefined) throw new RangeError('no account');
  const { root, byteLength } = document.commitment;
  const { sequence } = data;
  const messages = [
    createDatanet(
      MsgCreateDatanet.create({
        owner: account.address,
        slug: `net-${sequence}`,
        domain: 'law',
        mediaType: 'text/plain',
        licence: 'CC0-1.0',
        admission: 1,
      }),
    ),
    contribute(
      MsgContribute.create({
        contributor: account.address,
        datanetId: BigInt(sequence + 1),
        root: sha256(root),
        byteLength: BigInt(byteLength),
      }),
    ),
  ];
  const fee = { amount: [{ denom: 'uopen', amount: '5000' }], gas: '500000' };
  return TxRaw.encode(await client.sign(account.address, messages, fee, '', data)).finish();
}

const MNEMONIC = `${'abandon '.repeat(11)}about`;

test('a transaction that CosmJS signs in direct mode is delivered', async () => {
  const wallet = await DirectSecp256k1HdWallet.fromMnemonic(MNEMONIC, { prefix: 'open' });
  const [account] = await wallet.getAccounts();
  if (account === undefined) throw new RangeError('no account');
  const chain = new TestChain({ accounts: 1 });
  const funding = chain.deliver(chain.send(chain.account(0), account.address, '1000000uopen'));
  expect(funding.code, funding.log).toBe(0);
  const { auth, addresses } = chain.app.composition;
  const found = auth.find(chain.app.contextAt(chain.height), addresses.toBytes(account.address));
  if (found === undefined) throw new RangeError('no account on chain');
  const { accountNumber } = found;
  const tx = await signWith(wallet, { chainId: chain.chainId, accountNumber, sequence: 0 });
  const sent = chain.deliver(tx);
  expect(sent.code, sent.log).toBe(0);
  const { msgResponses } = TxMsgData.decode(sent.data);
  const ids = responsesOf(MsgContributeResponse, msgResponses).map(({ contributionId }) => contributionId);
  expect(ids).toEqual([1n]);
});

test('CosmJS signs our messages in amino mode, and puts the same message into the transaction', async () => {
  const options = { prefix: 'open' };
  const amino = await Secp256k1HdWallet.fromMnemonic(MNEMONIC, options);
  const direct = await DirectSecp256k1HdWallet.fromMnemonic(MNEMONIC, options);
  const data = { chainId: 'test-chain-1', accountNumber: 1n, sequence: 0 };
  const [signedAmino, signedDirect] = [await signWith(amino, data), await signWith(direct, data)].map(
    (bytes) => TxRaw.decode(bytes),
  );
  expect(signedAmino?.bodyBytes).toEqual(signedDirect?.bodyBytes);
  const mode = AuthInfo.decode(signedAmino?.authInfoBytes ?? new Uint8Array(0)).signerInfos[0]?.modeInfo
    ?.single?.mode;
  expect(mode).toBe(SignMode.SIGN_MODE_LEGACY_AMINO_JSON);
});
