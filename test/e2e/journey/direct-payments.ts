/** An agent that never sends a transaction pays by what it signs, and money that is held until it is captured. */
import { Secp256k1HdWallet } from '@cosmjs/amino';
import { expect } from 'vitest';
import {
  arbitrarySigner,
  captureHold,
  type Connection,
  connect,
  holdPayment,
  openAnswer,
  registerModel,
  responsesOf,
  signStatementInWallet,
  transferAuthorization,
  transferStatement,
  transferWithAuthorization,
} from '../../../client/index.ts';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { MsgRegisterModel, MsgRegisterModelResponse } from '../../../proto/gen/openledger/models/v1/tx.ts';
import { AuthorizationState } from '../../../proto/gen/openledger/payments/v1/authorization.ts';
import {
  MsgCaptureHold,
  MsgHoldPayment,
  MsgHoldPaymentResponse,
} from '../../../proto/gen/openledger/payments/v1/tx.ts';
import { blockTimeOf } from '../rpc.ts';
import { coin } from './traveller.ts';

/** Until the hold that nobody captures goes back. */
const SOON_SECONDS = 15n;

/** Where it happens. */
export interface PaymentWorld {
  readonly rpc: string;
  readonly chainId: string;
  /** Words of accounts with money. */
  readonly relayer: string;
  readonly seller: string;
  /** Resolves when a block has a time after that one, in milliseconds. */
  blockAfter(ms: number): Promise<void>;
}

interface Party {
  readonly address: string;
  /** Sends messages for what CosmJS estimates. */
  send(
    ...messages: Parameters<ReturnType<Connection['signer']>['signAndBroadcast']>[1]
  ): ReturnType<ReturnType<Connection['signer']>['signAndBroadcast']>;
}

async function party(connection: Connection, words: string): Promise<Party> {
  const wallet = await Secp256k1HdWallet.fromMnemonic(words, { prefix: 'open' });
  const address = (await wallet.getAccounts())[0]?.address ?? '';
  const client = connection.signer(wallet);
  return { address, send: (...messages) => client.signAndBroadcast(address, messages, 'auto') };
}

/** Time of the last block, in seconds. */
async function nowOf({ comet }: Connection, { rpc }: PaymentWorld): Promise<bigint> {
  const { latestBlockHeight } = (await comet.status()).syncInfo;
  return BigInt(Math.floor((await blockTimeOf(rpc, latestBlockHeight)) / 1000));
}

/** The agent pays a seller through a relayer; a replay, and a change, are refused. */
export async function payWithoutGas(world: PaymentWorld): Promise<void> {
  const connection = await connect(world.rpc, { gasPrice: '0.01uopen' });
  const { queries } = connection;
  const [relayer, seller] = [await party(connection, world.relayer), await party(connection, world.seller)];
  const wallet = await Secp256k1HdWallet.generate(12, { prefix: 'open' });
  const from = (await wallet.getAccounts())[0]?.address ?? '';
  const funds = { fromAddress: relayer.address, toAddress: from, amount: [coin(1000)] };
  await relayer.send({ typeUrl: '/cosmos.bank.v1beta1.MsgSend', value: funds });
  const now = await nowOf(connection, world);
  const authorization = transferAuthorization({
    ...{ chainId: world.chainId, from, to: seller.address, amount: coin(1000) },
    ...{ validAfter: now - 600n, validBefore: now + 3600n, resourceHash: sha256(utf8('resource')) },
  });
  const who = { chainId: world.chainId, address: from };
  const signature = await signStatementInWallet(
    transferStatement(authorization),
    arbitrarySigner(wallet),
    who,
  );
  const relayed = (to: string) =>
    transferWithAuthorization({
      relayer: relayer.address,
      authorization: { ...authorization, to },
      signature,
    });
  await expect(relayer.send(relayed(relayer.address))).rejects.toThrow(
    'signature is not of this authorization',
  );
  expect(await relayer.send(relayed(seller.address))).toMatchObject({ code: 0 });
  expect((await queries.bank.balance(from, 'uopen')).amount).toBe('0');
  await expect(relayer.send(relayed(seller.address))).rejects.toThrow('authorization was used before');
  const { nonce } = authorization;
  const { state } = await queries.openledger.payments.authorization({ from, nonce });
  expect(state).toBe(AuthorizationState.AUTHORIZATION_STATE_USED);
}

/** Of two holds one is captured, and its rest returned at once; the other expires. */
export async function captureAndExpire(world: PaymentWorld): Promise<void> {
  const connection = await connect(world.rpc, { gasPrice: '0.01uopen' });
  const { queries } = connection;
  const [payer, seller] = [await party(connection, world.relayer), await party(connection, world.seller)];
  const model = MsgRegisterModel.create({
    ...{ owner: seller.address, name: 'held', weightsRoot: sha256(utf8('weights')) },
    price: { denom: 'uopen', inPer1000: '0', outPer1000: '0', perCall: '700' },
  });
  const registered = await seller.send(registerModel(model));
  const [named] = responsesOf(MsgRegisterModelResponse, registered.msgResponses);
  const modelId = named?.modelId ?? 0n;
  const now = await nowOf(connection, world);
  const hold = (name: string, expires: bigint) =>
    holdPayment(
      MsgHoldPayment.create({
        ...{ payer: payer.address, modelId, requestHash: sha256(utf8(name)), amount: coin(1000), expires },
      }),
    );
  const opened = await payer.send(hold('served', now + 3600n), hold('forgotten', now + SOON_SECONDS));
  const [served, forgotten] = responsesOf(MsgHoldPaymentResponse, opened.msgResponses);
  const usage = { tokensOut: 1n, answer: openAnswer(utf8('an answer')) };
  const holdId = served?.holdId ?? 0n;
  const before = BigInt((await queries.bank.balance(payer.address, 'uopen')).amount);
  const message = MsgCaptureHold.create({ payee: seller.address, holdId, ...usage });
  expect(await seller.send(captureHold(message))).toMatchObject({ code: 0 });
  await world.blockAfter(Number(now + SOON_SECONDS) * 1000 + 1000);
  const after = BigInt((await queries.bank.balance(payer.address, 'uopen')).amount);
  expect(after - before).toBe(300n + 1000n);
  await expect(queries.openledger.payments.hold({ holdId: forgotten?.holdId ?? 0n })).rejects.toThrow(
    'there is no hold',
  );
  expect((await queries.openledger.payments.holdsByPayer({ payer: payer.address })).holds).toEqual([]);
}
