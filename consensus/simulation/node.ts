/**
 * One validator of the simulation: a core, its write-ahead log, and a shell that answers its requests after
 * a while. A crash loses the core, all answers under way and the part of the log that was not synced; a
 * restart replays what is left. There is no double-sign guard here: the log alone must keep a node from
 * contradicting itself.
 */
import { defined, unreachable } from '../../core/errors.ts';
import { Consensus } from '../consensus.ts';
import type { Input, LoggedInput, StartHeight } from '../input.ts';
import type { Decide, Output } from '../output.ts';
import { type BlockId, blockIdKey } from '../types/block-id.ts';
import type { Commit } from '../types/commit.ts';
import type { Proposal } from '../types/proposal.ts';
import { addressOf } from '../types/public-key.ts';
import type { UnsignedVote, Vote } from '../types/vote.ts';
import { blockName } from './blocks.ts';
import { keyOf, type Network } from './network.ts';

const SIGNATURE = Uint8Array.of(1);
const NOTHING = new Uint8Array(0);

/** An output that is answered by an input. */
type Request = Extract<
  Output,
  { readonly kind: 'requestValue' | 'signProposal' | 'signVote' | 'scheduleTimeout' | 'validateValue' }
>;

/** A validator. */
export class SimulatedNode {
  readonly index: number;
  readonly address: Uint8Array;
  readonly commits: Map<bigint, Commit> = new Map<bigint, Commit>();
  core: Consensus;
  crashed = false;
  readonly network: Network;
  readonly #signed = new Map<string, string>();
  #epoch = 0;
  #start: StartHeight | undefined;
  #wal: LoggedInput[] = [];
  #syncedLength = 0;

  constructor(network: Network, index: number) {
    this.network = network;
    this.index = index;
    this.address = addressOf(keyOf(index));
    this.core = this.#makeCore();
  }

  #makeCore(): Consensus {
    const { timeouts, lines } = this.network;
    return new Consensus({ address: this.address, timeouts, trace: (line) => lines.add(line) });
  }

  /** Begins a height. */
  startHeight(height: bigint): void {
    const commit = this.commits.get(height - 1n);
    const lastValidators = this.network.validatorsAt(height - 1n);
    const last = commit === undefined ? undefined : { commit, validators: lastValidators };
    this.#start = { kind: 'startHeight', height, validators: this.network.validatorsAt(height), last };
    this.#wal = [];
    this.#syncedLength = 0;
    this.input(this.#start);
  }

  /** Hands an input to the core and carries out what comes of it. */
  input(input: Input): void {
    if (!this.crashed) this.carryOut(this.core.apply(input));
  }

  /** Carries out outputs in their order. */
  carryOut(outputs: readonly Output[]): void {
    for (const output of outputs) this.#carryOut(output);
  }

  /** Loses everything but the synced part of the log, and perhaps some more of it. */
  crash(): void {
    this.crashed = true;
    this.#epoch++;
    if (this.network.options.without === 'log') this.#wal = [];
    const lost = this.network.random.below(Math.max(0, this.#wal.length - this.#syncedLength) + 1);
    this.#wal = this.#wal.slice(0, this.#wal.length - lost);
  }

  /** Comes back from the log. */
  restart(): void {
    this.crashed = false;
    if (this.#start === undefined) {
      this.startHeight(1n);
      return;
    }
    this.core = this.#makeCore();
    this.core.apply(this.#start);
    for (const input of this.#wal) this.core.apply(input);
    this.#syncedLength = this.#wal.length;
    this.carryOut(this.core.resume());
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case 'appendToWal':
        this.#wal.push(output.input);
        if (output.sync) this.#syncedLength = this.#wal.length;
        break;
      case 'publishProposal':
        this.publishProposal(output.proposal);
        break;
      case 'publishVote':
        this.#noteSigned(output.vote);
        this.publishVote(output.vote);
        break;
      case 'decide':
        this.#decide(output);
        break;
      case 'reportEvidence':
        this.network.noteEvidence(output.first, output.second);
        break;
      case 'fault':
        this.network.violation(`node ${this.index} found a fault: ${output.reason}`);
        break;
      case 'requestValue':
      case 'signProposal':
      case 'signVote':
      case 'scheduleTimeout':
      case 'validateValue':
        this.#request(output);
        break;
      default:
        unreachable(output, 'output');
    }
  }

  #request(output: Request): void {
    const { network } = this;
    switch (output.kind) {
      case 'requestValue':
        this.#answer(network.workMs(), () => {
          const { blockId } = network.blocks.make(output.height);
          return { kind: 'proposeValue', height: output.height, round: output.round, blockId };
        });
        break;
      case 'signProposal':
        this.#answer(network.signMs(), () => {
          const proposal = { ...output.proposal, timestamp: network.time(), signature: SIGNATURE };
          return { kind: 'signedProposal', proposal };
        });
        break;
      case 'signVote':
        this.#answer(network.signMs(), () => ({ kind: 'signedVote', vote: this.sign(output.vote) }));
        break;
      case 'scheduleTimeout':
        this.#answer(output.durationMs, () => ({ kind: 'timeoutElapsed', timeout: output.timeout }));
        break;
      case 'validateValue':
        this.#validate(output.height, output.blockId);
        break;
    }
  }

  /** Gives an answer after a while, unless the node crashes before. */
  #answer(delayMs: number, answer: () => Input): void {
    const epoch = this.#epoch;
    this.network.queue.after(delayMs, () => {
      if (epoch === this.#epoch && !this.crashed) this.input(answer());
    });
  }

  /** Signs a vote: nothing is really signed here. */
  sign(vote: UnsignedVote): Vote {
    const timestamp = this.network.time();
    return { ...vote, timestamp, signature: SIGNATURE, extension: NOTHING, extensionSignature: NOTHING };
  }

  /** Sends a proposal to all. */
  publishProposal(proposal: Proposal): void {
    this.network.broadcast(this.index, { kind: 'proposal', proposal });
  }

  /** Sends a vote to all. */
  publishVote(vote: Vote): void {
    this.network.broadcast(this.index, { kind: 'vote', vote });
  }

  #validate(height: bigint, blockId: BlockId): void {
    const { network } = this;
    const block = defined(network.blocks.get(blockId), 'block');
    if (block.withheld) return;
    this.#answer(network.workMs(), () => ({ kind: 'value', height, blockId, validity: block.validity }));
  }

  #decide(decision: Decide): void {
    this.commits.set(decision.height, decision.commit);
    this.network.noteDecision(this.index, decision);
    const epoch = this.#epoch;
    const next = decision.height + 1n;
    this.network.queue.after(this.network.workMs(), () => {
      if (epoch === this.#epoch && !this.crashed) this.startHeight(next);
    });
  }

  /** A correct node never says two things in one step. */
  #noteSigned(vote: Vote): void {
    const step = `${vote.height}/${vote.round}/${vote.type}`;
    const key = blockIdKey(vote.blockId);
    const before = this.#signed.get(step);
    this.#signed.set(step, before ?? key);
    if (before !== undefined && before !== key) {
      this.network.violation(`node ${this.index} signed twice at ${step}, now ${blockName(vote.blockId)}`);
    }
  }
}
