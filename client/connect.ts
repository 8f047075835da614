import { Slip10RawIndex } from '@cosmjs/crypto';
import { DirectSecp256k1HdWallet, type OfflineSigner } from '@cosmjs/proto-signing';
import {
  type BankExtension,
  GasPrice,
  QueryClient,
  SigningStargateClient,
  setupBankExtension,
} from '@cosmjs/stargate';
import {
  Comet1Client,
  Comet38Client,
  type CometClient,
  connectComet,
  type RpcClient,
  Tendermint37Client,
} from '@cosmjs/tendermint-rpc';
import { createAminoTypes } from './amino.ts';
import { type OpenLedgerExtension, setupOpenLedgerExtension } from './queries.ts';
import { createRegistry } from './types.ts';

const COIN_TYPE_COSMOS = 118;
const POLL_INTERVAL_MS = 200;
const BROADCAST_TIMEOUT_MS = 60_000;

/** A connection to one node's RPC. */
export interface Connection {
  readonly comet: CometClient;
  readonly queries: QueryClient & BankExtension & { readonly openledger: OpenLedgerExtension };
  /** Signs and broadcasts with any CosmJS signer, direct or amino. */
  signer(offline: OfflineSigner): SigningStargateClient;
}

/** How transactions are paid for and waited for. */
export interface ConnectOptions {
  /** Such as `0.001uopen`. */
  readonly gasPrice: string;
  /** Pause between two looks for a transaction. Default 200 ms. */
  readonly pollIntervalMs?: number;
}

/**
 * Connects to an RPC URL (`http://…` or `ws://…`), or through a transport of one's own: those of CosmJS wait for
 * an answer without end. Rejects when nothing answers there.
 */
export async function connect(rpc: string | RpcClient, options: ConnectOptions): Promise<Connection> {
  const comet = typeof rpc === 'string' ? await connectComet(rpc) : await cometOver(rpc);
  return {
    comet,
    queries: QueryClient.withExtensions(comet, setupBankExtension, setupOpenLedgerExtension),
    signer: (offline) =>
      SigningStargateClient.createWithSigner(comet, offline, {
        registry: createRegistry(),
        aminoTypes: createAminoTypes(),
        gasPrice: GasPrice.fromString(options.gasPrice),
        broadcastPollIntervalMs: options.pollIntervalMs ?? POLL_INTERVAL_MS,
        broadcastTimeoutMs: BROADCAST_TIMEOUT_MS,
      }),
  };
}

/** The client of the version that answers, as `connectComet` chooses it. */
async function cometOver(rpc: RpcClient): Promise<CometClient> {
  const oldest = Tendermint37Client.create(rpc);
  const { version } = (await oldest.status()).nodeInfo;
  if (version.startsWith('0.38.')) return Comet38Client.create(rpc);
  return version.startsWith('1.') ? Comet1Client.create(rpc) : oldest;
}

/** Which accounts of a mnemonic. */
export interface WalletOptions {
  /** Bech32 prefix of addresses. */
  readonly prefix: string;
  /** Last numbers of the path m/44'/118'/0'/0/i. Default 0. */
  readonly indexes?: readonly number[];
}

/** Keys of a mnemonic along Cosmos paths, in the order of their indexes. */
export function walletOf(mnemonic: string, options: WalletOptions): Promise<DirectSecp256k1HdWallet> {
  const { prefix, indexes = [0] } = options;
  const hardened = (index: number): Slip10RawIndex => Slip10RawIndex.hardened(index);
  const account = [hardened(44), hardened(COIN_TYPE_COSMOS), hardened(0), Slip10RawIndex.normal(0)];
  return DirectSecp256k1HdWallet.fromMnemonic(mnemonic, {
    prefix,
    hdPaths: indexes.map((index) => [...account, Slip10RawIndex.normal(index)]),
  });
}
