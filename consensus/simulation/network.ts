/**
 * A network of cores in one thread and simulated time. Until `healMs` messages are lost, late, doubled and
 * cut off by a partition; from then on they arrive, and nodes hand each other what they lack, as gossip
 * does. Checked all along: agreement, validity, that no correct node contradicts itself, and that evidence
 * names the guilty; and at the end, that all correct nodes went on after healing.
 */
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import type { TimeoutConfig } from '../config.ts';
import type { Input } from '../input.ts';
import type { Decide } from '../output.ts';
import { incrementProposerPriority, newValidatorSet, updateValidators } from '../proposer.ts';
import type { PaperLine } from '../round/lines.ts';
import { hasBit, setBits } from '../types/bit-array.ts';
import { blockIdKey } from '../types/block-id.ts';
import { type Time, timeFromNanos } from '../types/time.ts';
import type { PublicKey, ValidatorSet } from '../types/validator.ts';
import { EMPTY_VALIDATOR_SET, isTwoThirds } from '../types/validator-set.ts';
import type { Vote } from '../types/vote.ts';
import type { VotesView } from '../view.ts';
import { BlockRegistry, blockName } from './blocks.ts';
import { ByzantineNode } from './byzantine.ts';
import { SimulatedNode } from './node.ts';
import { EventQueue } from './queue.ts';
import { SeededRandom } from './random.ts';

/** A run. */
export interface SimulationOptions {
  readonly seed: number;
  /** Number of validators. */
  readonly nodes: number;
  /** How many of them equivocate, and how many are down for good. Together they must be less than a third. */
  readonly byzantine: number;
  readonly down: number;
  /** Whether correct nodes crash and come back before the network heals. */
  readonly restarts: boolean;
  /** Messages lost before it heals, in a hundred. */
  readonly lossPercent: number;
  readonly healMs: number;
  /** The run ends well when all correct nodes that are up have decided this height. */
  readonly targetHeight: bigint;
  /**
   * Takes away something that the run rests on, to prove that its loss is noticed: nodes come back without
   * their log, or gossip goes by one vote per validator.
   */
  readonly without?: 'log' | 'votes of majorities';
}

/** What came of a run. */
export interface SimulationResult {
  /** What went wrong; empty in a good run. */
  readonly violations: readonly string[];
  readonly lines: ReadonlySet<PaperLine>;
  readonly evidence: number;
  readonly roundMax: number;
  readonly events: number;
  readonly durationMs: number;
}

const TIMEOUTS: TimeoutConfig = {
  proposeMs: 400,
  proposeDeltaMs: 150,
  prevoteMs: 200,
  prevoteDeltaMs: 100,
  precommitMs: 200,
  precommitDeltaMs: 100,
  commitMs: 100,
  skipCommitWhenComplete: true,
};

/** After healing, a run that takes longer is stuck. */
const PATIENCE_MS = 60_000;
const EVENTS_MAX = 400_000;
const GOSSIP_EVERY_MS = 150;
const GOSSIP_VOTES_MAX = 12;

/** The nodes and all that is between them. */
export class Network {
  readonly options: SimulationOptions;
  readonly random: SeededRandom;
  readonly queue: EventQueue = new EventQueue();
  readonly blocks: BlockRegistry = new BlockRegistry();
  readonly timeouts: TimeoutConfig = TIMEOUTS;
  readonly lines: Set<PaperLine> = new Set<PaperLine>();
  readonly nodes: readonly SimulatedNode[];
  /** The validators of each height, as far as anybody asked. */
  readonly #validators: ValidatorSet[] = [];
  readonly #violations: string[] = [];
  readonly #decided = new Map<bigint, string>();
  #evidence = 0;
  #roundMax = 0;
  /** Nodes on one side of the partition. */
  #side = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    const members = Array.from({ length: options.nodes }, (_, i) => ({
      publicKey: keyOf(i),
      votingPower: 10n,
    }));
    this.#validators.push(EMPTY_VALIDATOR_SET, newValidatorSet(members));
    const first = this.random.below(options.nodes);
    const isByzantine = (index: number): boolean => (index + first) % options.nodes < options.byzantine;
    this.nodes = Array.from({ length: options.nodes }, (_, index) =>
      isByzantine(index) ? new ByzantineNode(this, index) : new SimulatedNode(this, index),
    );
  }

  /**
   * The validators of a height: turns pass, and every second height one of them gains or loses a little
   * power, never so much that the faulty ones reach a third.
   */
  validatorsAt(height: bigint): ValidatorSet {
    for (let next = this.#validators.length; next <= Number(height); next++) {
      const last = defined(this.#validators[next - 1], 'validators of the height before');
      const publicKey = keyOf((this.options.seed + next) % this.options.nodes);
      const votingPower = BigInt(10 + ((this.options.seed + next * 7) % 3));
      const changed = next % 2 === 0 ? updateValidators(last, [{ publicKey, votingPower }]) : last;
      this.#validators.push(incrementProposerPriority(changed, 1));
    }
    return defined(this.#validators[Number(height)], 'validators');
  }

  /** Runs to the end. */
  run(): SimulationResult {
    const { nodes, byzantine, down, healMs } = this.options;
    const correct = this.nodes.filter((node) => !(node instanceof ByzantineNode));
    for (const node of this.nodes) {
      this.queue.after(this.random.below(200), () => node.startHeight(1n));
      this.queue.after(this.random.below(GOSSIP_EVERY_MS), () => this.#gossip(node));
    }
    for (const node of correct.slice(0, down)) this.queue.after(this.random.below(3000), () => node.crash());
    const up = correct.slice(down);
    if (this.options.restarts) for (const node of up) this.#planRestarts(node);
    this.#planPartitions();
    let events = 0;
    while (events < EVENTS_MAX && this.#violations.length === 0) {
      if (!this.queue.runNext()) break;
      events++;
      if (this.queue.nowMs < healMs) continue;
      if (up.every((node) => node.commits.has(this.options.targetHeight))) break;
      if (this.queue.nowMs > healMs + PATIENCE_MS) this.violation(this.#stuck(up));
    }
    if (events === EVENTS_MAX) this.violation(`no end after ${events} events`);
    if (nodes <= 3 * (byzantine + down))
      this.violation('too many faulty nodes for the test to mean anything');
    return {
      violations: this.#violations,
      lines: this.lines,
      evidence: this.#evidence,
      roundMax: this.#roundMax,
      events,
      durationMs: this.queue.nowMs,
    };
  }

  #stuck(up: readonly SimulatedNode[]): string {
    const where = up.map(({ core }) => {
      const { height, round, step } = core.view();
      return `${height}/${round}/${step}`;
    });
    return `not live after healing: nodes stand at ${where.join(', ')}`;
  }

  #planRestarts(node: SimulatedNode): void {
    for (let i = 0; i < 2; i++) {
      const atMs = this.random.below(this.options.healMs);
      this.queue.after(atMs, () => {
        if (node.crashed) return;
        node.crash();
        const backMs = Math.min(this.random.below(2000), Math.max(0, this.options.healMs - this.queue.nowMs));
        this.queue.after(backMs, () => node.restart());
      });
    }
  }

  #planPartitions(): void {
    for (let atMs = 0; atMs < this.options.healMs; atMs += 1500) {
      const side = this.random.percent(50) ? this.random.uint32() : 0;
      this.queue.after(atMs, () => {
        this.#side = side;
      });
    }
  }

  /** Sends something to all others. */
  broadcast(from: number, message: Input): void {
    for (const { index } of this.nodes) if (index !== from) this.send({ from, to: index }, message);
  }

  /** Sends something to one node, by the weather of the day. */
  send(way: { readonly from: number; readonly to: number }, message: Input): void {
    const { random, queue } = this;
    const stormy = queue.nowMs < this.options.healMs;
    const cutOff = ((this.#side >> way.from) & 1) !== ((this.#side >> way.to) & 1);
    if (stormy && (cutOff || random.percent(this.options.lossPercent))) return;
    const node = defined(this.nodes[way.to], 'node');
    const copies = stormy && random.percent(5) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const slow = stormy && random.percent(20);
      queue.after(1 + random.below(slow ? 2000 : 60), () => node.input(message));
    }
  }

  /** A node looks at another and sends what it lacks. */
  #gossip(node: SimulatedNode): void {
    this.queue.after(GOSSIP_EVERY_MS, () => this.#gossip(node));
    const peer = this.random.pick(this.nodes);
    if (peer === undefined || peer === node || peer.crashed || node.crashed) return;
    if (node instanceof ByzantineNode) return;
    const way = { from: node.index, to: peer.index };
    const mine = node.core.view();
    const theirs = peer.core.view();
    this.#roundMax = Math.max(this.#roundMax, mine.round);
    const commit = node.commits.get(theirs.height);
    if (mine.height > theirs.height && commit !== undefined) {
      this.send(way, { kind: 'decidedBySync', commit });
      return;
    }
    if (mine.height !== theirs.height) return;
    const proposal = node.core.proposal(theirs.round);
    if (proposal !== undefined && theirs.proposal === undefined)
      this.send(way, { kind: 'proposal', proposal });
    const all = this.options.without !== 'votes of majorities';
    for (const vote of missingVotes(node, peer, all)) this.send(way, { kind: 'vote', vote });
  }

  /** Notes a decision and compares it with the others'. */
  noteDecision(index: number, { height, round, blockId, commit }: Decide): void {
    const key = blockIdKey(blockId);
    const before = this.#decided.get(height);
    if (before === undefined) this.#decided.set(height, key);
    else if (before !== key)
      this.violation(`node ${index} decided ${blockName(blockId)} at ${height}, others did not`);
    const block = this.blocks.get(blockId);
    if (block === undefined || block.height !== height || block.validity !== 'accepted') {
      this.violation(`node ${index} decided a block that is not valid at ${height}`);
    }
    const set = this.validatorsAt(height);
    let power = 0n;
    for (const [i, entry] of commit.signatures.entries()) {
      if (entry.blockIdFlag === 'commit') power += set.validators[i]?.votingPower ?? 0n;
    }
    const right = commit.height === height && commit.round === round && isTwoThirds(set, power);
    if (!right) this.violation(`node ${index} decided at ${height} with a bad commit`);
  }

  /** Notes evidence; it must be of a node that is byzantine. */
  noteEvidence(first: Vote, second: Vote): void {
    this.#evidence++;
    const signer = this.nodes.find(({ address }) => equalBytes(address, first.validatorAddress));
    const conflict =
      equalBytes(first.validatorAddress, second.validatorAddress) &&
      first.height === second.height &&
      first.round === second.round &&
      first.type === second.type &&
      blockIdKey(first.blockId) !== blockIdKey(second.blockId);
    if (signer instanceof ByzantineNode && conflict) return;
    this.violation(`evidence against node ${signer?.index}, who is honest`);
  }

  /** Notes that something is wrong. */
  violation(what: string): void {
    this.#violations.push(`${what} (seed ${this.options.seed}, ${this.queue.nowMs} ms)`);
  }

  /** How long the application takes. */
  workMs(): number {
    return 1 + this.random.below(this.queue.nowMs < this.options.healMs ? 300 : 40);
  }

  /** How long a signature takes. */
  signMs(): number {
    return 1 + this.random.below(10);
  }

  /** The time on a vote. */
  time(): Time {
    return timeFromNanos(BigInt(this.queue.nowMs) * 1_000_000n);
  }
}

/** The key of a node. */
export function keyOf(index: number): PublicKey {
  return { type: 'ed25519', bytes: sha256(utf8(`validator ${index}`)) };
}

/** Votes that a node holds and its peer does not, oldest round first. */
function missingVotes(node: SimulatedNode, peer: SimulatedNode, ofMajorities: boolean): Vote[] {
  const missing: Vote[] = [];
  for (const round of node.core.voteRounds()) {
    for (const type of ['prevote', 'precommit'] as const) {
      const mine = node.core.votes(round, type);
      const theirs = peer.core.votes(round, type);
      if (mine === undefined) continue;
      for (const index of setBits(mine.bits)) {
        const vote = theirs !== undefined && hasBit(theirs.bits, index) ? undefined : mine.vote(index);
        if (vote !== undefined) missing.push(vote);
      }
      if (ofMajorities) missing.push(...missingOfMajority(mine, theirs));
      if (missing.length >= GOSSIP_VOTES_MAX) return missing.slice(0, GOSSIP_VOTES_MAX);
    }
  }
  return missing;
}

/**
 * Votes for what +2/3 voted for, to a peer that does not see that majority. It may hold another vote of an
 * equivocator instead of the one that makes it: bits per validator alone would never show it.
 */
function missingOfMajority(mine: VotesView, theirs: VotesView | undefined): Vote[] {
  const { majority } = mine;
  if (majority === undefined || theirs?.majority !== undefined) return [];
  const held = theirs?.bitsFor(majority);
  const votes = [...setBits(mine.bitsFor(majority))].map((index) =>
    held !== undefined && hasBit(held, index) ? undefined : mine.voteFor(index, majority),
  );
  return votes.filter((vote) => vote !== undefined);
}
