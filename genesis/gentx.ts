/** Makes a genesis transaction: a MsgCreateValidator, signed before there is a chain. */
import { Decimal } from '../core/decimal.ts';
import { AddressCodec } from '../framework/address.ts';
import type { AnyTypes } from '../framework/any-types.ts';
import type { Coin } from '../framework/coins.ts';
import type { JsonObject } from '../framework/json.ts';
import { secp256k1PublicKey } from '../framework/tx/public-key.ts';
import { SIGN_MODE_DIRECT } from '../framework/tx/signature.ts';
import type { ConsensusKey } from '../modules/consensus/keys.ts';
import { genTxToJson } from '../modules/genutil/gentx.ts';
import { PubKey as Ed25519PubKey } from '../proto/gen/cosmos/crypto/ed25519/keys.ts';
import type { Description } from '../proto/gen/cosmos/staking/v1beta1/staking.ts';
import { MsgCreateValidator } from '../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { AuthInfo, SignDoc, TxBody, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';

/** Gas limit of genesis transactions, which are not limited: what the SDK writes. */
const GAS_LIMIT = 200_000n;

/** Commission of a validator, each a decimal such as `0.1`. */
export interface CommissionTexts {
  readonly rate: string;
  readonly maxRate: string;
  readonly maxChangeRate: string;
}

/** The SDK's defaults of a new validator. */
export const DEFAULT_COMMISSION: CommissionTexts = { rate: '0.1', maxRate: '0.2', maxChangeRate: '0.01' };

/** A validator that the chain shall begin with. */
export interface GenTxOrder {
  readonly chainId: string;
  /** Bech32 prefix of addresses. */
  readonly prefix: string;
  readonly consensusKey: ConsensusKey;
  /** What the operator delegates to itself. */
  readonly amount: Coin;
  readonly description: Partial<Description> & Pick<Description, 'moniker'>;
  /** Default `DEFAULT_COMMISSION`. */
  readonly commission?: CommissionTexts;
  /** Default 1. */
  readonly minSelfDelegation?: bigint;
  /** Where peers reach the node; whoever collects the transactions takes it from here. Default empty. */
  readonly memo?: string;
}

/** The operator's account key. */
export interface GenTxSigner {
  /** 33 bytes, compressed secp256k1. */
  readonly publicKey: Uint8Array;
  /** 64 bytes over SHA-256 of the message. */
  sign(message: Uint8Array): Uint8Array;
}

/** A consensus key as messages carry it. */
export function consensusKeyAny({ type, bytes }: ConsensusKey): Any {
  return type === 'ed25519'
    ? { typeUrl: Ed25519PubKey.typeUrl, value: Ed25519PubKey.encode({ key: bytes }) }
    : secp256k1PublicKey(bytes).any;
}

/**
 * The signed transaction in the SDK's JSON shape.
 * @param types what an `Any` in it may hold: the application's
 * @throws LedgerError when a commission is no decimal
 */
export function signGenTx(order: GenTxOrder, signer: GenTxSigner, types: AnyTypes): JsonObject {
  const key = secp256k1PublicKey(signer.publicKey);
  const message = MsgCreateValidator.encode(createValidator(order, key.address));
  const bodyBytes = TxBody.encode(
    TxBody.create({
      messages: [{ typeUrl: MsgCreateValidator.typeUrl, value: message }],
      memo: order.memo ?? '',
    }),
  );
  const modeInfo = { single: { mode: SIGN_MODE_DIRECT }, multi: undefined };
  const authInfoBytes = AuthInfo.encode(
    AuthInfo.create({
      signerInfos: [{ publicKey: key.any, modeInfo, sequence: 0n }],
      fee: { amount: [], gasLimit: GAS_LIMIT, payer: '', granter: '' },
    }),
  );
  // Before the first block every account number counts as 0.
  const { chainId } = order;
  const signed = SignDoc.encode({ bodyBytes, authInfoBytes, chainId, accountNumber: 0n });
  const signatures = [signer.sign(signed)];
  return genTxToJson(TxRaw.encode({ bodyBytes, authInfoBytes, signatures }), types);
}

function createValidator(order: GenTxOrder, operator: Uint8Array): MsgCreateValidator {
  const { amount, description, commission = DEFAULT_COMMISSION, minSelfDelegation = 1n } = order;
  return MsgCreateValidator.create({
    description: { identity: '', website: '', securityContact: '', details: '', ...description },
    commission: {
      rate: Decimal.ofText(commission.rate).toWire(),
      maxRate: Decimal.ofText(commission.maxRate).toWire(),
      maxChangeRate: Decimal.ofText(commission.maxChangeRate).toWire(),
    },
    minSelfDelegation: minSelfDelegation.toString(),
    validatorAddress: new AddressCodec(`${order.prefix}valoper`).toText(operator),
    pubkey: consensusKeyAny(order.consensusKey),
    value: { denom: amount.denom, amount: amount.amount.toString() },
  });
}
