/**
 * Accounts that send, and their signed transactions, made before the clock starts. Signing is native
 * libsecp256k1: a load generator in JavaScript would be the bottleneck it looks for.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { accountAddress } from '../../cli/wallet/hd.ts';
import { sha256 } from '../../core/hash.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import { AuthInfo, SignDoc, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';

interface NativeSecp256k1 {
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array;
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { readonly signature: Uint8Array };
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  privateKeyVerify(privateKey: Uint8Array): boolean;
}

const require = createRequire(import.meta.url);
const native: NativeSecp256k1 = require('secp256k1');
const GAS_LIMIT = 100_000;
const GAS_PER_MEMO_CHARACTER = 10;
const SIGN_MODE_DIRECT = 1;

/** An account of the load. */
export interface Sender {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: string;
}

/** What all transactions of a load share. */
export interface LoadChain {
  readonly chainId: string;
  readonly denom: string;
}

/** New accounts with random keys. */
export function makeSenders(count: number, prefix: string): readonly Sender[] {
  return Array.from({ length: count }, () => {
    let privateKey = Uint8Array.from(randomBytes(32));
    while (!native.privateKeyVerify(privateKey)) privateKey = Uint8Array.from(randomBytes(32));
    const publicKey = native.publicKeyCreate(privateKey, true);
    return { privateKey, publicKey, address: accountAddress(prefix, publicKey) };
  });
}

/** What one transaction is made of. */
export interface SendOrder {
  readonly from: Sender;
  readonly to: string;
  readonly accountNumber: bigint;
  readonly sequence: bigint;
  /** A long one makes a large transaction, for which gas is asked by its size. */
  readonly memo?: string;
}

/** The bytes of a signed MsgSend of one base unit. */
export function signedSend(chain: LoadChain, order: SendOrder): Uint8Array {
  const { memo = '' } = order;
  const gasLimit = BigInt(GAS_LIMIT + GAS_PER_MEMO_CHARACTER * memo.length);
  const message = MsgSend.create({
    fromAddress: order.from.address,
    toAddress: order.to,
    amount: [{ denom: chain.denom, amount: '1' }],
  });
  const bodyBytes = TxBody.encode(
    TxBody.create({ messages: [{ typeUrl: MsgSend.typeUrl, value: MsgSend.encode(message) }], memo }),
  );
  const publicKey = { typeUrl: PubKey.typeUrl, value: PubKey.encode({ key: order.from.publicKey }) };
  const authInfoBytes = AuthInfo.encode(
    AuthInfo.create({
      signerInfos: [
        {
          publicKey,
          modeInfo: { single: { mode: SIGN_MODE_DIRECT }, multi: undefined },
          sequence: order.sequence,
        },
      ],
      fee: { amount: [{ denom: chain.denom, amount: '1000' }], gasLimit, payer: '', granter: '' },
    }),
  );
  const signDoc = SignDoc.encode({
    bodyBytes,
    authInfoBytes,
    chainId: chain.chainId,
    accountNumber: order.accountNumber,
  });
  const { signature } = native.ecdsaSign(sha256(signDoc), order.from.privateKey);
  return TxRaw.encode({ bodyBytes, authInfoBytes, signatures: [signature] });
}
