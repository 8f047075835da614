/**
 * What the engine gives to its neighbours and what it needs of them. Gossip, block sync and RPC import
 * types from here only through `node/node.ts`, which joins the two sides: their own `ports.ts` state the
 * same shapes.
 */
import type { Input } from '../../consensus/input.ts';
import type { Output } from '../../consensus/output.ts';
import type { BitArray } from '../../consensus/types/bit-array.ts';
import type { Block, CutBlock } from '../../consensus/types/block.ts';
import type { BlockId, PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import type { Proposal, UnsignedProposal } from '../../consensus/types/proposal.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { UnsignedVote, Vote } from '../../consensus/types/vote.ts';
import type { ConsensusReader, ConsensusView } from '../../consensus/view.ts';
import type { CommittedBlock } from '../committed-block.ts';

/**
 * What validators tell each other. The same three travel on the wire, into `receive`, and out of `publish`.
 */
export type ConsensusMessage =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | {
      readonly kind: 'blockPart';
      readonly height: bigint;
      readonly round: number;
      readonly part: Part;
    }
  | { readonly kind: 'vote'; readonly vote: Vote };

/** Where gossip hands in what peers send. */
export interface ConsensusReceiver {
  /**
   * Takes a message whose shape was checked (lengths, ranges, bounds). Signature, proof and relevance are
   * checked here, later, in order. Never throws and never waits: beyond a peer's share (`INPUT_LIMITS`)
   * messages are dropped, and peers send again.
   */
  receive(message: ConsensusMessage, peer: string): void;
}

/** How the engine reaches the network. */
export interface ConsensusPublisher {
  /** Sends a message of our own to all peers, at once; never waits. */
  publish(message: ConsensusMessage): void;
  /** A peer sent what no correct peer sends: a bad signature, a bad proof, an invalid block. */
  misbehaved(peer: string, reason: string): void;
}

/** The parts of the blocks that the current height is about. */
export interface PartsReader {
  /** Which parts of that block are held; undefined when nothing asks for that block. */
  partBits(header: PartSetHeader): BitArray | undefined;
  part(header: PartSetHeader, index: number): Part | undefined;
}

/** What is stored of past heights. Synchronous: each read is some microseconds. */
export interface StoredBlocks {
  /** Lowest and highest stored height; both 0n when there is none. */
  range(): { readonly base: bigint; readonly height: bigint };
  blockId(height: bigint): BlockId | undefined;
  /** The encoded tendermint.types.Block. */
  blockBytes(height: bigint): Uint8Array | undefined;
  part(height: bigint, index: number): Part | undefined;
  /**
   * The precommits that decided a height: from the next block when it is stored, else those that this node
   * saw.
   */
  commit(height: bigint): Commit | undefined;
}

/** What changed in the engine; each is told once, after it was logged and applied. */
export type EngineEvent =
  /** Height, round or step are new. */
  | { readonly kind: 'step'; readonly view: ConsensusView }
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'vote'; readonly vote: Vote }
  /** A part was verified and is held now. */
  | {
      readonly kind: 'blockPart';
      readonly height: bigint;
      readonly header: PartSetHeader;
      readonly index: number;
    }
  /** A block is stored and executed; the next height begins. */
  | { readonly kind: 'committed'; readonly height: bigint };

/** The read-only side of the engine for gossip and RPC. */
export interface EngineReader extends PartsReader {
  /** Round machine, votes, proposals, last commit. Undefined before the node takes part in consensus. */
  consensus(): ConsensusReader | undefined;
  /** The last height that is executed and stored. */
  lastHeight(): bigint;
  /**
   * Calls the listener for each event until the returned function is called. Listeners must not throw or
   * block.
   */
  onEvent(listener: (event: EngineEvent) => void): () => void;
}

/** A block that block sync brings: its bytes and the precommits for it. */
export interface SyncedBlock {
  readonly height: bigint;
  /** The encoded tendermint.types.Block. */
  readonly blockBytes: Uint8Array;
  readonly commit: Commit;
}

/** Where block sync delivers, before and while the node takes part in consensus. */
export interface SyncTarget {
  /** The height that is needed next. */
  nextHeight(): bigint;
  /**
   * Checks block and commit against the validators of the height, stores and executes it. Resolves when the
   * next height can be delivered. One at a time; a block of another height than `nextHeight()` is ignored.
   * @throws LedgerError `sync.invalid_block` when the sender is at fault; any other error stops the node
   */
  applySynced(block: SyncedBlock): Promise<void>;
  /** A block that will be delivered soon: its signatures may be checked beforehand. Nothing is promised. */
  expectSynced(block: SyncedBlock): void;
  /** True when our key holds more than two thirds of the voting power. */
  decidesAlone(): boolean;
  /** The node is near enough to the others: take part in consensus. Calling it again does nothing. */
  joinConsensus(): void;
}

/** What tells the engine that there is something to make a block of, when empty blocks are not wanted. */
export interface TransactionSignal {
  /** True when a transaction is waiting. */
  readonly hasTransactions: boolean;
  /** Calls back whenever there are transactions where there were none; the returned function ends it. */
  onTransactions(listener: () => void): () => void;
}

/** Who is told about committed blocks: indexer, event bus. Called in order, one at a time, and awaited. */
export interface CommitListener {
  onCommit(committed: CommittedBlock): Promise<void>;
}

/** The signer of a validator. It refuses whatever could be a double signature: then there is no signature. */
export interface ConsensusSigner {
  /** 20 bytes. */
  readonly address: Uint8Array;
  signVote(chainId: string, vote: UnsignedVote & { readonly timestamp: Time }): Promise<Vote>;
  signProposal(chainId: string, proposal: UnsignedProposal & { readonly timestamp: Time }): Promise<Proposal>;
}

/**
 * Knows what our key has signed as far as the network shows it. Told of everything verified that came from
 * peers; it throws when that is newer than what the signer remembers: then the node stops instead of signing.
 */
export interface SigningGuard {
  sawCommit(commit: Commit): void;
  /** Steps: 1 proposal, 2 prevote, 3 precommit. */
  saw(signed: {
    readonly address: Uint8Array;
    readonly height: bigint;
    readonly round: number;
    readonly step: number;
  }): void;
  /** @throws LedgerError with what to do */
  check(): void;
  /** @throws LedgerError with what to do */
  checkBeforeJoining(): void;
}

/** A record of the write-ahead log: a type of the engine's own, above zero, and its payload. */
export interface LogRecord {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The write-ahead log. */
export interface ConsensusLog {
  /**
   * What was logged behind the end of `height`; undefined when that height did not end the log's last but
   * one.
   */
  takeReplay(height: bigint, isFirst: boolean): readonly LogRecord[] | undefined;
  append(record: LogRecord): void;
  /** Resolves when everything appended so far survives a power cut. */
  sync(): Promise<void>;
  /** Marks the end of a height, durably. */
  endHeight(height: bigint): Promise<void>;
}

/** The consensus core, as the engine drives it (`consensus/README.md`). */
export interface ConsensusCore extends ConsensusReader {
  apply(input: Input): readonly Output[];
  /** Everything asked for and not answered, and our own messages of the current round. */
  resume(): readonly Output[];
}

/** Told of signatures that will be checked soon. */
export type ExpectSignature = (...signature: Parameters<VerifySignature>) => void;

/** Where decided blocks are stored. */
export interface BlockSink {
  range(): { readonly base: bigint; readonly height: bigint };
  seenCommit(height: bigint): Commit | undefined;
  /** Writes a block durably, before it is executed. */
  saveBlock(decided: DecidedBlock): Promise<void>;
}

/** A decided block before it is executed. */
export interface DecidedBlock {
  readonly block: Block;
  readonly blockId: BlockId;
  readonly parts: readonly Part[];
  readonly blockSize: number;
  readonly seenCommit: Commit;
}

/** What the engine knows of the chain's state: enough to take part in the next height. */
export interface ChainHead {
  readonly chainId: string;
  readonly initialHeight: bigint;
  /** 0n before the first block. */
  readonly lastBlockHeight: bigint;
  readonly lastBlockTime: Time;
  readonly lastValidators: ValidatorSet;
  readonly validators: ValidatorSet;
  readonly consensusParams: { readonly block: { readonly maxBytes: bigint } };
  readonly appHash: Uint8Array;
}

/** Makes, judges and executes blocks. */
export interface ChainExecutor {
  readonly state: ChainHead;
  propose(lastCommit: Commit | undefined, proposerAddress: Uint8Array): Promise<CutBlock>;
  /** @throws LedgerError when a well-formed block does not follow from the state */
  check(block: Block): void;
  judge(block: Block): Promise<{
    readonly validity: 'accepted' | 'rejected' | 'invalid';
    readonly reason: string | undefined;
  }>;
  /** Begins to execute a block that may be decided; nothing comes of it but time saved. */
  speculate(block: Block): void;
  /** Executes a block in memory at once, and makes anything of it durable only when `stored` has resolved. */
  apply(decided: {
    readonly block: Block;
    readonly blockId: BlockId;
    readonly stored: Promise<void>;
  }): Promise<CommittedBlock>;
}

/** Log lines with facts. */
export interface EngineLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** Where proof of misbehaviour goes. */
export interface EvidenceSink {
  /** Two different votes of one validator in one step, both with good signatures. */
  conflictingVotes(first: Vote, second: Vote): void;
  /**
   * Resolves when all that were reported are on disk: only then may the height end in the log, which is not
   * replayed after that.
   */
  conflictsSaved(): Promise<void>;
}

/** Clock and timers: real ones in the node, simulated ones in tests. */
export interface EngineClock {
  /** Nanoseconds since 1970. */
  now(): bigint;
  /** Calls back once after that time; the returned function cancels. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** Lets everything else that waits have its turn. Default: a turn of the event loop. */
  yieldToOthers?(): Promise<void>;
}
