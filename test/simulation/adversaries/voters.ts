/**
 * Validators that run our node and change what it says: each message of theirs is judged per peer, changed
 * and signed anew. What they relay of others stays as it is.
 */
import { type BlockId, NIL_BLOCK_ID } from '../../../consensus/types/block-id.ts';
import type { Proposal } from '../../../consensus/types/proposal.ts';
import { proposalSignBytes, voteSignBytes } from '../../../consensus/types/sign-bytes.ts';
import type { Vote } from '../../../consensus/types/vote.ts';
import { equalBytes } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import {
  decodeDataMessage,
  decodeVoteMessage,
  encodeConsensusMessage,
} from '../../../node/gossip/messages.ts';
import { DATA_CHANNEL, VOTES_CHANNEL } from '../../../p2p/channels.ts';
import { CHAIN_ID } from '../chain.ts';
import type { MachineOptions, SimMachine } from '../machine.ts';
import { tamperedNetwork } from './network.ts';

/** What an adversary says instead of its own votes and proposals. */
export interface Speech {
  readonly votes?: (vote: Vote, actor: Actor) => readonly Vote[];
  readonly proposals?: (proposal: Proposal, actor: Actor) => readonly Proposal[];
  /** Whether a part of a block that it proposes goes out. */
  readonly parts?: (actor: Actor) => boolean;
}

/** An adversary at work. */
export interface Actor {
  readonly machine: SimMachine;
  /** A whole number below the limit. */
  readonly below: (limit: number) => number;
  /** Block ids that it has seen proposed at the height, its own and others'. */
  readonly seen: (height: bigint) => readonly BlockId[];
}

/** The kinds of adversaries. */
export const ADVERSARIES = ['equivocator', 'amnesiac', 'withholder', 'nuller', 'mutator'] as const;

/** One of them. */
export type AdversaryKind = (typeof ADVERSARIES)[number];

const SPEECHES: Readonly<Record<AdversaryKind, Speech>> = {
  equivocator: {
    votes: (vote, actor) =>
      Array.from({ length: 1 + actor.below(2) }, () => ({ ...vote, blockId: anyBlock(vote, actor) })),
    proposals: (proposal, { below }) =>
      below(3) > 0 ? [proposal] : [{ ...proposal, blockId: garbledId(proposal.blockId, below) }],
  },
  amnesiac: {
    votes: (vote, { machine }) => {
      const proposal = machine.core?.engine.consensus()?.proposal(vote.round);
      return [{ ...vote, blockId: proposal?.blockId ?? vote.blockId }];
    },
  },
  withholder: {
    proposals: (proposal, { below }) => (below(3) === 0 ? [proposal] : []),
    parts: ({ below }) => below(3) === 0,
    votes: (vote, { below }) => (below(4) === 0 ? [] : [vote]),
  },
  nuller: { votes: (vote) => [{ ...vote, blockId: NIL_BLOCK_ID }] },
  mutator: {
    votes: (vote, { below }) => (below(3) === 0 ? [vote, mutatedVote(vote, below)] : [vote]),
    proposals: (proposal, { below }) =>
      below(3) === 0 ? [mutatedProposal(proposal, below), proposal] : [proposal],
  },
};

/** A machine with an adversary on it. */
export function adversary(
  kind: AdversaryKind,
  { name, keySeed }: Pick<MachineOptions, 'name' | 'keySeed'>,
): MachineOptions {
  const seenBlocks = new Map<bigint, BlockId[]>();
  return {
    name,
    keySeed,
    isHonest: false,
    network: (network, machine) => {
      const actor: Actor = {
        machine,
        below: (limit) => machine.ports.scheduler.random.below(limit),
        seen: (height) => seenBlocks.get(height) ?? [],
      };
      const voice = new Voice(SPEECHES[kind], actor, seenBlocks);
      return tamperedNetwork(network, { send: ({ channel, bytes }) => voice.say(channel, bytes) });
    },
  };
}

/** Changes what the node says. */
class Voice {
  readonly #speech: Speech;
  readonly #actor: Actor;
  readonly #seen: Map<bigint, BlockId[]>;
  readonly #sign: (message: Uint8Array) => Uint8Array;
  readonly #publicKey: Uint8Array;

  constructor(speech: Speech, actor: Actor, seen: Map<bigint, BlockId[]>) {
    this.#speech = speech;
    this.#actor = actor;
    this.#seen = seen;
    const { machine } = actor;
    const { publicKey, sign } = machine.ports.scheme.makeSigner(machine.options.keySeed, 'ed25519');
    this.#publicKey = publicKey;
    this.#sign = (message) => {
      machine.ports.observer.signed(machine, publicKey, message);
      return sign(message);
    };
  }

  say(channel: string, bytes: Uint8Array): readonly Uint8Array[] {
    if (channel === VOTES_CHANNEL.name) return this.#vote(bytes);
    if (channel === DATA_CHANNEL.name) return this.#data(bytes);
    return [bytes];
  }

  #vote(bytes: Uint8Array): readonly Uint8Array[] {
    const message = decodeVoteMessage(bytes);
    if (message.kind !== 'vote' || this.#speech.votes === undefined) return [bytes];
    const { vote } = message;
    if (!equalBytes(vote.validatorAddress, this.#address())) return [bytes];
    return this.#speech.votes(vote, this.#actor).map((said) => {
      const signature = this.#sign(voteSignBytes(CHAIN_ID, said));
      return encodeConsensusMessage({ kind: 'vote', vote: { ...said, signature } });
    });
  }

  #data(bytes: Uint8Array): readonly Uint8Array[] {
    const message = decodeDataMessage(bytes);
    if (message.kind === 'blockPart') {
      return this.#isMine(message.height) && this.#speech.parts?.(this.#actor) === false ? [] : [bytes];
    }
    if (message.kind !== 'proposal') return [bytes];
    const { proposal } = message;
    const known = this.#seen.get(proposal.height) ?? [];
    if (known.length < 8) this.#seen.set(proposal.height, [...known, proposal.blockId]);
    if (this.#speech.proposals === undefined || !this.#isMine(proposal.height)) return [bytes];
    return this.#speech.proposals(proposal, this.#actor).map((said) => {
      const signature = this.#sign(proposalSignBytes(CHAIN_ID, said));
      return encodeConsensusMessage({ kind: 'proposal', proposal: { ...said, signature } });
    });
  }

  #isMine(height: bigint): boolean {
    const consensus = this.#actor.machine.core?.engine.consensus();
    const view = consensus?.view();
    if (consensus === undefined || view?.height !== height) return false;
    const proposer = consensus.proposer(view.round);
    return proposer !== undefined && equalBytes(proposer.publicKey.bytes, this.#publicKey);
  }

  #address(): Uint8Array {
    return sha256(this.#publicKey).subarray(0, 20);
  }
}

function anyBlock(vote: Vote, { below, seen }: Actor): BlockId {
  const choice = below(100);
  if (choice < 40) return vote.blockId;
  if (choice < 60) return NIL_BLOCK_ID;
  const known = seen(vote.height);
  return known[below(Math.max(1, known.length))] ?? garbledId(vote.blockId, below);
}

function garbledId(blockId: BlockId, below: (limit: number) => number): BlockId {
  const hash = sha256(Uint8Array.of(below(4)));
  return { hash, partSetHeader: { total: Math.max(1, blockId.partSetHeader.total), hash } };
}

/** One field, a little. */
function mutatedVote(vote: Vote, below: (limit: number) => number): Vote {
  const by = below(2) === 0 ? 1 : -1;
  switch (below(6)) {
    case 0:
      return { ...vote, round: Math.max(0, vote.round + by) };
    case 1:
      return { ...vote, height: vote.height + BigInt(by) > 0n ? vote.height + BigInt(by) : vote.height };
    case 2:
      return { ...vote, type: vote.type === 'prevote' ? 'precommit' : 'prevote' };
    case 3:
      return {
        ...vote,
        timestamp: { ...vote.timestamp, seconds: vote.timestamp.seconds + BigInt(by * 3600) },
      };
    case 4:
      return { ...vote, blockId: garbledId(vote.blockId, below) };
    default:
      return { ...vote, round: vote.round + 1_000 };
  }
}

function mutatedProposal(proposal: Proposal, below: (limit: number) => number): Proposal {
  switch (below(4)) {
    case 0:
      return { ...proposal, round: proposal.round + 1 };
    case 1:
      return { ...proposal, polRound: below(proposal.round + 1) - 1 };
    case 2:
      return { ...proposal, blockId: garbledId(proposal.blockId, below) };
    default:
      return { ...proposal, height: proposal.height + 1n };
  }
}
