/**
 * What a node takes from the machine it runs on: time, disk, network, the making of keys. The real one is
 * `machine`; `test/simulation` has one in which all of it is a function of a seed.
 */
import { randomBytes } from 'node:crypto';
import type { VerifySignature } from '../consensus/types/public-key.ts';
import { sha256 } from '../core/hash.ts';
import type { AddressBookLimits } from '../p2p/address-book.ts';
import type { DiscoveryLimits } from '../p2p/discovery.ts';
import { createLibp2pNetwork } from '../p2p/libp2p.ts';
import type { Network } from '../p2p/network.ts';
import { systemTimers, type Timers } from '../p2p/timers.ts';
import type { BlockSyncOptions } from './blocksync/block-sync.ts';
import { ed25519Signer, verifyEd25519, verifyEd25519InBackground } from './crypto/ed25519.ts';
import { RememberingVerifier } from './crypto/remembering-verify.ts';
import { secp256k1Signer, verifySecp256k1 } from './crypto/secp256k1.ts';
import { type OpenDatabase, openLevelDatabase } from './database.ts';
import type { ConsensusCore, ConsensusSigner, EngineClock, ExpectSignature } from './engine/ports.ts';
import { type DurableFiles, machineFiles } from './privval/durable-file.ts';
import type { IndexDatabase } from './indexer/ports.ts';
import type { MakeKeySigner } from './privval/ports.ts';
import type { BlockRules } from './state/ports.ts';
import type { StateSyncOptions } from './statesync/options.ts';
import type { WorkFiles } from './statesync/work-files.ts';
import type { OpenServer } from './trusted-chain.ts';
import { DirectoryWalFiles, type WalFiles } from './wal/files.ts';
import { FILE_PATTERN } from './wal/wal.ts';

/** See the file comment. */
export interface NodeEnvironment {
  readonly clock: EngineClock;
  readonly timers: Timers;
  readonly openDatabase: OpenDatabase;
  /** The database of the transaction index, in that directory. Default: LevelDB. */
  readonly openIndex?: (directory: string) => Promise<IndexDatabase>;
  readonly walFiles: (directory: string) => WalFiles;
  /** Sizes of the write-ahead log. Default: `WalOptions`. */
  readonly walSizes?: { readonly fileBytesMax: number; readonly totalBytesMax: number };
  readonly randomBytes: (length: number) => Uint8Array;
  readonly signerFiles: DurableFiles;
  readonly makeSigner: MakeKeySigner;
  readonly verify: VerifySignature;
  /** Told of signatures that `verify` will be asked about soon: it may check them elsewhere meanwhile. */
  readonly expectSignature?: ExpectSignature;
  /** Where the address book and the bans are kept. Default: nowhere. */
  readonly peerFiles?: DurableFiles;
  /** A number in [0, 1): jitter and choices of peers. */
  readonly random: () => number;
  readonly openNetwork: (options: Parameters<typeof createLibp2pNetwork>[0]) => Promise<Network>;
  /** Waits and bounds of peer exchange. Default: `DEFAULT_DISCOVERY`. */
  readonly discovery?: DiscoveryLimits;
  /** Bounds of the address book. Default: `DEFAULT_ADDRESS_BOOK`. */
  readonly addressBook?: AddressBookLimits;
  /** Limits and waits of block sync. Default: `DEFAULT_BLOCK_SYNC`. */
  readonly blockSync?: BlockSyncOptions;
  /** Limits and waits of state sync that are not configured. Default: `DEFAULT_STATE_SYNC`. */
  readonly stateSync?: StateSyncOptions;
  /** The files of a state sync under way, in that directory. Default: the disk. */
  readonly workFiles?: (directory: string) => WorkFiles;
  /** The RPC servers whose blocks a state sync trusts. Default: over HTTP. */
  readonly openServer?: OpenServer;
  /** Puts something around the consensus core: tests of the simulator plant bugs with it. */
  readonly wrapCore?: (core: ConsensusCore) => ConsensusCore;
  /** How blocks are made and judged. Default: as they have to be; the simulator has adversaries and plants bugs. */
  readonly blockRules?: BlockRules;
  /** Puts something around the signer: the simulator sees what leaves it. */
  readonly wrapSigner?: (signer: ConsensusSigner) => ConsensusSigner;
}

const verifier = new RememberingVerifier(
  (key, message, signature) =>
    key.type === 'ed25519'
      ? verifyEd25519(key.bytes, message, signature)
      : verifySecp256k1(key.bytes, sha256(message), signature),
  {
    inBackground: async (key, message, signature) =>
      key.type === 'ed25519' && (await verifyEd25519InBackground(key.bytes, message, signature)),
  },
);

/** The machine. */
export const machine: NodeEnvironment = {
  clock: {
    now: () => BigInt(Date.now()) * 1_000_000n,
    schedule: (delayMs, callback) => systemTimers.after(delayMs, callback),
  },
  timers: systemTimers,
  openDatabase: openLevelDatabase,
  walFiles: (directory) => new DirectoryWalFiles(directory, FILE_PATTERN),
  randomBytes,
  signerFiles: machineFiles,
  peerFiles: machineFiles,
  random: Math.random,
  makeSigner: (secret, type) => (type === 'ed25519' ? ed25519Signer(secret) : secp256k1Signer(secret)),
  verify: verifier.verify,
  expectSignature: verifier.expect,
  openNetwork: createLibp2pNetwork,
};
