/** Wallets of CosmJS on a test chain: what they sign is encoded and signed by CosmJS alone. */
import {
  type AminoMsg,
  createMultisigThresholdPubkey,
  encodeSecp256k1Pubkey,
  makeCosmoshubPath,
  makeSignDoc as makeAminoSignDoc,
  type MultisigThresholdPubkey,
  pubkeyToAddress,
  Secp256k1HdWallet,
} from '@cosmjs/amino';
import {
  DirectSecp256k1HdWallet,
  type EncodeObject,
  makeAuthInfoBytes,
  makeSignDoc,
  Registry,
} from '@cosmjs/proto-signing';
import {
  AminoTypes,
  createDefaultAminoConverters,
  defaultRegistryTypes,
  makeMultisignedTxBytes,
} from '@cosmjs/stargate';
import { PubKey } from 'cosmjs-types/cosmos/crypto/secp256k1/keys';
import { SignMode } from 'cosmjs-types/cosmos/tx/signing/v1beta1/signing';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import type { TestChain } from './test-chain.ts';

const MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

/** A wallet in both kinds. */
export interface CosmSigner {
  readonly address: string;
  readonly pubkey: Uint8Array;
  readonly direct: DirectSecp256k1HdWallet;
  readonly amino: Secp256k1HdWallet;
}

/** The wallet of the i-th path of the test mnemonic. */
export async function cosmSigner(i = 0, prefix = 'open'): Promise<CosmSigner> {
  const options = { prefix, hdPaths: [makeCosmoshubPath(i)] };
  const direct = await DirectSecp256k1HdWallet.fromMnemonic(MNEMONIC, options);
  const amino = await Secp256k1HdWallet.fromMnemonic(MNEMONIC, options);
  const [account] = await direct.getAccounts();
  if (account === undefined) throw new RangeError('the wallet is empty');
  return { address: account.address, pubkey: account.pubkey, direct, amino };
}

/** What a transaction says besides its messages. */
export interface CosmTxOptions {
  /** Default 300,000. */
  readonly gas?: number;
  /** In `uopen`. Default 2500. */
  readonly fee?: string;
  readonly granter?: string;
  /** Amino JSON of the messages; then that is what is signed. */
  readonly amino?: readonly AminoMsg[];
}

/** A signed transaction. */
export async function cosmTx(
  chain: TestChain,
  signer: CosmSigner,
  messages: readonly EncodeObject[],
  options: CosmTxOptions = {},
): Promise<Uint8Array> {
  const { gas = 300_000, fee = '2500', granter, amino } = options;
  const { addresses, auth } = chain.app.composition;
  const account = auth.find(chain.app.contextAt(chain.app.height), addresses.toBytes(signer.address));
  if (account === undefined) throw new RangeError('the signer has no account');
  const [accountNumber, sequence] = [Number(account.accountNumber), Number(account.sequence)];
  const bodyBytes = new Registry(defaultRegistryTypes).encodeTxBody({ messages: [...messages] });
  const amount = [{ denom: 'uopen', amount: fee }];
  const value = PubKey.encode({ key: signer.pubkey }).finish();
  const authInfoBytes = makeAuthInfoBytes(
    [{ pubkey: { typeUrl: '/cosmos.crypto.secp256k1.PubKey', value }, sequence }],
    amount,
    gas,
    granter,
    undefined,
    amino === undefined ? SignMode.SIGN_MODE_DIRECT : SignMode.SIGN_MODE_LEGACY_AMINO_JSON,
  );
  const stdFee = { amount, gas: String(gas), ...(granter === undefined ? {} : { granter }) };
  const { signature } =
    amino === undefined
      ? await signer.direct.signDirect(
          signer.address,
          makeSignDoc(bodyBytes, authInfoBytes, chain.chainId, accountNumber),
        )
      : await signer.amino.signAmino(
          signer.address,
          makeAminoSignDoc(amino, stdFee, chain.chainId, '', accountNumber, sequence),
        );
  const signatures = [Buffer.from(signature.signature, 'base64')];
  return TxRaw.encode({ bodyBytes, authInfoBytes, signatures }).finish();
}

/** Wallets of which some must sign. */
export interface CosmMultisig {
  readonly pubkey: MultisigThresholdPubkey;
  readonly address: string;
  readonly signers: readonly CosmSigner[];
}

/** An account of several wallets; CosmJS keeps their order. */
export function cosmMultisig(threshold: number, signers: readonly CosmSigner[]): CosmMultisig {
  const keys = signers.map((signer) => encodeSecp256k1Pubkey(signer.pubkey));
  const pubkey = createMultisigThresholdPubkey(keys, threshold, true);
  return { pubkey, address: pubkeyToAddress(pubkey, 'open'), signers };
}

/** A transaction of a multisig account, put together by CosmJS from what each wallet signed on its own. */
export async function cosmMultisigTx(
  chain: TestChain,
  multisig: CosmMultisig,
  messages: readonly EncodeObject[],
  options: { readonly signing: readonly CosmSigner[]; readonly gas?: number },
): Promise<Uint8Array> {
  const { addresses, auth } = chain.app.composition;
  const account = auth.find(chain.app.contextAt(chain.app.height), addresses.toBytes(multisig.address));
  if (account === undefined) throw new RangeError('the multisig account does not exist');
  const [accountNumber, sequence] = [Number(account.accountNumber), Number(account.sequence)];
  const fee = { amount: [{ denom: 'uopen', amount: '2500' }], gas: String(options.gas ?? 200_000) };
  const types = new AminoTypes(createDefaultAminoConverters());
  const amino = messages.map((message) => types.toAmino(message));
  const document = makeAminoSignDoc(amino, fee, chain.chainId, '', accountNumber, sequence);
  const signatures = new Map<string, Uint8Array>();
  for (const { address, amino: wallet } of options.signing) {
    const { signature } = await wallet.signAmino(address, document);
    signatures.set(address, Buffer.from(signature.signature, 'base64'));
  }
  const bodyBytes = new Registry(defaultRegistryTypes).encodeTxBody({ messages: [...messages] });
  return makeMultisignedTxBytes(multisig.pubkey, sequence, fee, bodyBytes, signatures);
}
