/**
 * An engine without consensus, for tests: it holds what it is given, tells of it, and moves on with a commit.
 */
import { type BitArray, bitArray } from '../../consensus/types/bit-array.ts';
import { type BlockId, blockIdKey, type PartSetHeader } from '../../consensus/types/block-id.ts';
import { type Commit, commitSigOf } from '../../consensus/types/commit.ts';
import { type Part, PartSet, partsOf } from '../../consensus/types/part-set.ts';
import type { Proposal } from '../../consensus/types/proposal.ts';
import type { Vote, VoteType } from '../../consensus/types/vote.ts';
import type { ConsensusReader, ConsensusView, VotesView } from '../../consensus/view.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { utf8 } from '../../core/bytes.ts';
import type { ConsensusMessage, GossipEngine, GossipEvent, GossipStore } from './ports.ts';

/** Validators of the test chain. */
export const VALIDATORS = 4;
const BLOCK_BYTES = 300_000;
const TIME = { seconds: 1_700_000_000n, nanos: 0 };

interface TestBlock {
  readonly blockId: BlockId;
  readonly parts: readonly Part[];
}

const blocks: Map<string, TestBlock> = new Map();

/** The block of a height and round: its id and its parts. The same on every node. */
export function testBlock(height: bigint, round: number): TestBlock {
  const key = `${height}/${round}`;
  const made = blocks.get(key);
  if (made !== undefined) return made;
  const step = Number(height) + round;
  const { header, parts } = partsOf(Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => (i * step) % 251));
  const block = { blockId: { hash: sha256(utf8(key)), partSetHeader: header }, parts };
  blocks.set(key, block);
  return block;
}

/** The proposal of a height and round. */
export function testProposal(height: bigint, round: number): Proposal {
  const { blockId } = testBlock(height, round);
  const signature = new Uint8Array(64).fill(Number(height) + round);
  return { height, round, polRound: -1, blockId, timestamp: TIME, signature };
}

/** A validator's vote for the block of its height and round. */
export function testVote(height: bigint, round: number, type: VoteType, validatorIndex: number): Vote {
  return {
    type,
    height,
    round,
    blockId: testBlock(height, round).blockId,
    validatorAddress: new Uint8Array(20).fill(validatorIndex),
    validatorIndex,
    timestamp: TIME,
    signature: new Uint8Array(64).fill(validatorIndex + 1),
    extension: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
  };
}

/** The commit of a height that was decided in a round. */
export function testCommit(height: bigint, round: number): Commit {
  const votes = Array.from({ length: VALIDATORS }, (_, index) => testVote(height, round, 'precommit', index));
  const signatures = votes.map((vote) => commitSigOf(vote, 'commit'));
  return { height, round, blockId: testBlock(height, round).blockId, signatures };
}

/**
 * Holds one height at a time. With all precommits of a round and all parts of its block it goes to the next.
 */
export class TestEngine implements GossipEngine, GossipStore {
  height: bigint;
  round = 0;
  /** What a dropped input queue would lose; asked for each message. */
  drops: () => boolean = () => false;
  readonly received: ConsensusMessage[] = [];
  readonly #proposals: Map<number, Proposal> = new Map();
  readonly #votes: Map<string, Map<number, Vote>> = new Map();
  readonly #parts: Map<string, PartSet> = new Map();
  readonly #listeners: Set<(event: GossipEvent) => void> = new Set();
  readonly #last: Map<number, Vote> = new Map();

  constructor(height: bigint) {
    this.height = height;
  }

  consensus(): ConsensusReader {
    return {
      view: () => this.#view(),
      validators: () => ({ validators: [], proposer: undefined, totalVotingPower: 0n }),
      proposer: () => undefined,
      proposal: (round) => this.#proposals.get(round),
      votes: (round, type) => this.#votesView(this.#votes.get(`${round}/${type}`)),
      voteRounds: () =>
        [...new Set([...this.#votes.keys()].map((key) => Number.parseInt(key, 10)))].toSorted(byValue),
      lastPrecommits: () => this.#votesView(this.#last),
      lastVotes: (_round, type) => (type === 'precommit' ? this.#votesView(this.#last) : undefined),
      lastCommit: () => (this.height > 1n ? testCommit(this.height - 1n, 0) : undefined),
    };
  }

  partBits(header: PartSetHeader): BitArray | undefined {
    return this.#parts.get(partsKey(header))?.bits();
  }

  part(header: PartSetHeader, index: number): Part | undefined;
  part(height: bigint, index: number): Part | undefined;
  part(of: PartSetHeader | bigint, index: number): Part | undefined {
    if (typeof of === 'bigint') return of < this.height ? testBlock(of, 0).parts[index] : undefined;
    return this.#parts.get(partsKey(of))?.part(index);
  }

  blockId(height: bigint): BlockId | undefined {
    return height < this.height ? testBlock(height, 0).blockId : undefined;
  }

  commit(height: bigint): Commit | undefined {
    return height < this.height ? testCommit(height, 0) : undefined;
  }

  receive(message: ConsensusMessage): void {
    this.received.push(message);
    if (!this.drops()) this.take(message);
  }

  /** Takes a message, from a peer or as our own. */
  take(message: ConsensusMessage): void {
    if (message.kind === 'proposal') this.#takeProposal(message.proposal);
    else if (message.kind === 'vote') this.#takeVote(message.vote);
    else if (message.height === this.height) this.#takePart(message.part);
    this.#maybeDecide();
  }

  onEvent(listener: (event: GossipEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  enterRound(round: number): void {
    this.round = round;
    this.#tell({ kind: 'step', view: this.#view() });
  }

  /** True when it has the proposal, all parts and all votes of a round. */
  isComplete(round: number): boolean {
    const header = testBlock(this.height, round).blockId.partSetHeader;
    const votes = (['prevote', 'precommit'] as const).every(
      (type) => this.#votes.get(`${round}/${type}`)?.size === VALIDATORS,
    );
    return votes && this.#proposals.has(round) && this.#parts.get(partsKey(header))?.isComplete() === true;
  }

  holdsVote(round: number, type: VoteType, index: number): boolean {
    return this.#votes.get(`${round}/${type}`)?.has(index) === true;
  }

  #takeProposal(proposal: Proposal): void {
    if (proposal.height !== this.height || this.#proposals.has(proposal.round)) return;
    this.#proposals.set(proposal.round, proposal);
    this.#collect(proposal.blockId.partSetHeader);
    this.#tell({ kind: 'proposal', proposal });
  }

  #takePart(part: Part): void {
    for (const set of this.#parts.values()) {
      if (set.add(part) !== 'added') continue;
      this.#tell({ kind: 'blockPart', height: this.height, header: set.header, index: part.index });
    }
  }

  #takeVote(vote: Vote): void {
    if (vote.height !== this.height) return;
    const key = `${vote.round}/${vote.type}`;
    const votes = this.#votes.get(key) ?? new Map<number, Vote>();
    if (votes.has(vote.validatorIndex)) return;
    votes.set(vote.validatorIndex, vote);
    this.#votes.set(key, votes);
    if (vote.type === 'precommit' && votes.size === VALIDATORS) this.#collect(vote.blockId.partSetHeader);
    this.#tell({ kind: 'vote', vote });
  }

  #collect(header: PartSetHeader): void {
    if (!this.#parts.has(partsKey(header)))
      this.#parts.set(partsKey(header), new PartSet(header, 2 * BLOCK_BYTES));
  }

  /** Only heights that others have decided end here; the tests hold the newest height open. */
  #maybeDecide(): void {
    if (this.height >= this.newest) return;
    const { blockId } = testBlock(this.height, 0);
    const decided = this.#votes.get('0/precommit')?.size === VALIDATORS;
    const set = this.#parts.get(partsKey(blockId.partSetHeader));
    if (!decided || set?.isComplete() !== true) return;
    this.#last.clear();
    for (const [index, vote] of defined(this.#votes.get('0/precommit'), 'precommits'))
      this.#last.set(index, vote);
    this.#proposals.clear();
    this.#votes.clear();
    this.#parts.clear();
    this.height += 1n;
    this.round = 0;
    this.#tell({ kind: 'committed', height: this.height - 1n });
    this.#tell({ kind: 'step', view: this.#view() });
  }

  /** The height that stays open. */
  newest = 0n;

  #view(): ConsensusView {
    const decided = this.#votes.get('0/precommit')?.size === VALIDATORS && this.height < this.newest;
    return {
      height: this.height,
      round: this.round,
      step: decided ? 'commit' : 'propose',
      proposal: this.#proposals.get(this.round),
      lockedBlockId: undefined,
      lockedRound: -1,
      validBlockId: undefined,
      validRound: -1,
      decided: decided ? { round: 0, blockId: testBlock(this.height, 0).blockId } : undefined,
    };
  }

  #votesView(votes: ReadonlyMap<number, Vote> | undefined): VotesView | undefined {
    if (votes === undefined) return undefined;
    const majority = votes.size === VALIDATORS ? votes.get(0)?.blockId : undefined;
    const bits = bitArray(VALIDATORS, votes.keys());
    const vote = (index: number): Vote | undefined => votes.get(index);
    return { bits, majority, vote, bitsFor: () => bits, voteFor: vote };
  }

  #tell(event: GossipEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function byValue(a: number, b: number): number {
  return a - b;
}

function partsKey(header: PartSetHeader): string {
  return blockIdKey({ hash: header.hash, partSetHeader: header });
}
