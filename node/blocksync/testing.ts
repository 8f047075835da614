/** A chain for tests of block sync: no consensus, and blocks that follow from their height. */
import { commitSigOf, type Commit } from '../../consensus/types/commit.ts';
import { concatBytes, equalBytes, uint64BigEndian } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { Timers } from '../../p2p/timers.ts';
import type { SyncedBlock, SyncStore, SyncTarget } from './ports.ts';

/** Bytes of a block, unless a test says otherwise. */
const BLOCK_BYTES = 2_000;

/** What a test chain has at a height. */
export function blockBytes(height: bigint, length: number = BLOCK_BYTES): Uint8Array {
  return concatBytes(uint64BigEndian(height), new Uint8Array(length).fill(Number(height % 251n)));
}

/** The commit of the block at a height; nobody checks its signature. */
export function commitOf(height: bigint): Commit {
  const blockId = {
    hash: sha256(blockBytes(height)),
    partSetHeader: { total: 1, hash: sha256(blockBytes(height)) },
  };
  const signature = commitSigOf(
    {
      type: 'precommit',
      height,
      round: 0,
      blockId,
      validatorAddress: new Uint8Array(20).fill(1),
      validatorIndex: 0,
      timestamp: { seconds: 1_700_000_000n, nanos: 0 },
      signature: new Uint8Array(64).fill(1),
      extension: new Uint8Array(0),
      extensionSignature: new Uint8Array(0),
    },
    'commit',
  );
  return { height, round: 0, blockId, signatures: [signature] };
}

/** A chain of blocks that follow from their height alone. */
export class TestChain implements SyncStore, SyncTarget {
  height: bigint;
  base = 1n;
  /** How large its blocks are. */
  blockBytesLength: number = BLOCK_BYTES;
  alone = false;
  joinedAt: bigint | undefined;
  /** The height that consensus has decided and is executing. */
  executing: bigint | undefined;
  /** When its last block was made; undefined: long ago, always. */
  advancedAtMs: number | undefined;
  readonly #listeners: Set<(event: { readonly kind: string }) => void> = new Set();
  readonly #timers: Timers;

  constructor(height: bigint, timers: Timers) {
    this.height = height;
    this.#timers = timers;
  }

  range(): { readonly base: bigint; readonly height: bigint } {
    return { base: this.height === 0n ? 0n : this.base, height: this.height };
  }

  blockBytes(height: bigint): Uint8Array | undefined {
    return height >= this.base && height <= this.height
      ? blockBytes(height, this.blockBytesLength)
      : undefined;
  }

  commit(height: bigint): Commit | undefined {
    return height >= this.base && height <= this.height ? commitOf(height) : undefined;
  }

  nextHeight(): bigint {
    return this.height + 1n;
  }

  /** Execution takes longer than a request, now and then. */
  async applySynced(block: SyncedBlock): Promise<void> {
    await new Promise<void>((resolve) => this.#timers.after(block.height % 8n === 0n ? 20 : 0, resolve));
    if (block.height !== this.height + 1n) return;
    if (!equalBytes(block.blockBytes, blockBytes(block.height, this.blockBytesLength)))
      throw new LedgerError('sync.invalid_block', `block ${block.height} is not valid`);
    this.advance();
  }

  /** Only when a test says since when. */
  lastBlockAgeMs(): number {
    return this.advancedAtMs === undefined
      ? Number.POSITIVE_INFINITY
      : this.#timers.nowMs() - this.advancedAtMs;
  }

  advance(): void {
    this.height += 1n;
    if (this.advancedAtMs !== undefined) this.advancedAtMs = this.#timers.nowMs();
    for (const listener of this.#listeners) listener({ kind: 'committed' });
  }

  consensus(): { view(): { readonly height: bigint; readonly decided: object | undefined } } {
    return {
      view: () => ({
        height: this.executing ?? this.height + 1n,
        decided: this.executing === undefined ? undefined : {},
      }),
    };
  }

  decidesAlone(): boolean {
    return this.alone;
  }

  joinConsensus(): void {
    this.joinedAt ??= this.height;
  }

  onEvent(listener: (event: { readonly kind: string }) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
