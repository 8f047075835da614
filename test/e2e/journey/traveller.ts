/** Someone with a wallet: what they sign is encoded, signed, sent and waited for by CosmJS alone. */
import { Secp256k1HdWallet } from '@cosmjs/amino';
import { DirectSecp256k1HdWallet, type EncodeObject, Registry } from '@cosmjs/proto-signing';
import {
  type Account,
  accountFromAny,
  AminoTypes,
  BroadcastTxError,
  createDefaultAminoConverters,
  defaultRegistryTypes,
  type DeliverTxResponse,
  GasPrice,
  SigningStargateClient,
  type StdFee,
} from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import { BaseVestingAccount, PermanentLockedAccount } from 'cosmjs-types/cosmos/vesting/v1beta1/vesting';
import type { Any } from 'cosmjs-types/google/protobuf/any';
import {
  anyOf,
  authzConverters,
  distributionConverters,
  feegrantConverters,
  govConverters,
  vestingConverters,
  furtherTypes,
} from './amino.ts';

/** How a wallet signs. */
export type SigningKind = 'direct' | 'amino';

const POLL_MS = 200;
const PREFIX = 'open';

/** A fee that is paid even when CosmJS could not simulate: for what is refused. */
export const FEE: StdFee = { amount: [{ denom: 'uopen', amount: '5000' }], gas: '400000' };

/** Why something was refused. */
export interface Refusal {
  readonly code: number;
  readonly log: string;
}

/** An account and its client. */
export interface Traveller {
  readonly address: string;
  readonly client: SigningStargateClient;
  /** Sends messages for what CosmJS estimates; @throws Error when they fail */
  ok(...messages: readonly EncodeObject[]): Promise<DeliverTxResponse>;
  /** Sends messages that fail in a block. */
  fails(...messages: readonly EncodeObject[]): Promise<Refusal>;
}

/** One who signs with the key of some words; new ones when none are given. */
export async function traveller(rpc: string, kind: SigningKind, mnemonic?: string): Promise<Traveller> {
  const Wallet = kind === 'direct' ? DirectSecp256k1HdWallet : Secp256k1HdWallet;
  const options = { prefix: PREFIX };
  const wallet = await (mnemonic === undefined
    ? Wallet.generate(12, options)
    : Wallet.fromMnemonic(mnemonic, options));
  const address = (await wallet.getAccounts())[0]?.address ?? '';
  const registry = new Registry([...defaultRegistryTypes, ...furtherTypes]);
  const client = SigningStargateClient.createWithSigner(await connectComet(rpc), wallet, {
    registry,
    aminoTypes: aminoTypesFor(registry),
    accountParser,
    gasPrice: GasPrice.fromString('0.01uopen'),
    broadcastPollIntervalMs: POLL_MS,
  });
  return {
    address,
    client,
    ok: async (...messages) => {
      const sent = await client.signAndBroadcast(address, messages, 'auto');
      if (sent.code !== 0) throw new Error(`code ${sent.code}: ${sent.rawLog}`);
      return sent;
    },
    fails: async (...messages) => {
      const { code, rawLog } = await client.signAndBroadcast(address, messages, FEE);
      return { code, log: rawLog ?? '' };
    },
  };
}

/** CosmJS knows all accounts but those that are locked for ever. */
function accountParser(any: Any): Account {
  if (any.typeUrl !== PermanentLockedAccount.typeUrl) return accountFromAny(any);
  const { baseVestingAccount } = PermanentLockedAccount.decode(any.value);
  return accountFromAny(anyOf(BaseVestingAccount, baseVestingAccount));
}

function aminoTypesFor(registry: Registry): AminoTypes {
  const converters = {
    ...createDefaultAminoConverters(),
    ...feegrantConverters,
    ...vestingConverters,
    ...distributionConverters,
  };
  const inner = new AminoTypes(converters);
  return new AminoTypes({
    ...converters,
    ...authzConverters(registry, inner),
    ...govConverters(registry, inner),
  });
}

/** What the node said to a transaction that it did not take. @throws Error when it took it */
export async function refusalOf(
  sending: Promise<unknown>,
): Promise<Refusal & { readonly codespace: string }> {
  const error = await sending.then(
    () => new Error('it was taken'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof BroadcastTxError)) throw error;
  const { code, codespace, log } = error;
  return { code, codespace, log: log ?? '' };
}

/** Attributes of the events of a type, each event as an object without `msg_index`. */
export function eventsOf(sent: DeliverTxResponse, type: string): readonly Readonly<Record<string, string>>[] {
  return sent.events
    .filter((event) => event.type === type)
    .map(({ attributes }) =>
      Object.fromEntries(
        attributes.map(({ key, value }) => [key, value]).filter(([key]) => key !== 'msg_index'),
      ),
    );
}

/** Bytes of the answer to a message of a transaction. */
export function answerOf(sent: DeliverTxResponse, index = 0): Uint8Array {
  return sent.msgResponses[index]?.value ?? new Uint8Array();
}

/** Units of the base denomination. */
export function coin(amount: number | bigint): { readonly denom: string; readonly amount: string } {
  return { denom: 'uopen', amount: String(amount) };
}
