/** What the observer of a simulation sees, from outside of the nodes, and hands to the invariants. */
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { toHex } from '../../core/bytes.ts';
import { readUvarint } from '../../core/varint.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import { CanonicalProposal, CanonicalVote } from '../../proto/gen/tendermint/types/canonical.ts';
import { SignedMsgType } from '../../proto/gen/tendermint/types/types.ts';

/** A machine, as far as invariants care. */
export interface Subject {
  readonly name: string;
  /** Runs our code unchanged, with a key that nobody else has. */
  readonly isHonest: boolean;
  /** What its clock shows, in nanoseconds since 1970. */
  now(): bigint;
  /** The validators of a height, as its state store has them. */
  validatorsAt(height: bigint): ValidatorSet | undefined;
  /** How often it was started. */
  readonly starts: number;
  /** It starts with nothing but its signing state. */
  readonly isEmptied?: boolean;
  /** The last height that it stored and executed. */
  readonly height: bigint;
  /** Where its consensus stands; undefined when it takes no part. */
  standsAt(): { readonly height: bigint; readonly round: number } | undefined;
  /** What waits for a block. */
  pendingEvidence(): readonly Evidence[];
  /** Of each pair of votes on its disk that evidence will be made of, the first. */
  conflictingVotes(): readonly Vote[];
}

/** A key has signed something. It may never have left the machine. */
export interface SignedFact {
  readonly subject: Subject;
  /** Hex of the public key. */
  readonly key: string;
  readonly type: 'proposal' | 'prevote' | 'precommit';
  readonly height: bigint;
  readonly round: number;
  /** Hex of hash and part set header; `nil`. */
  readonly value: string;
  /** Only of a proposal. */
  readonly polRound: number;
}

/** A node is given a vote by a peer. */
export interface VoteFact {
  readonly subject: Subject;
  /** Hex of the validator's address. */
  readonly address: string;
  readonly type: 'prevote' | 'precommit';
  readonly height: bigint;
  readonly round: number;
  readonly value: string;
}

/** The engine of a node has two different votes of one validator in one step. */
export interface NoticedFact extends Omit<VoteFact, 'value'> {
  /** From the block of this height on, what is on the disk of the node has to hold them. */
  readonly keptFrom: bigint;
}

/** An adversary is about to propose a block that nobody may take. */
export interface ForgedFact {
  readonly by: Subject;
  /** As in votes for it. */
  readonly value: string;
  /** What is wrong with it. */
  readonly what: string;
}

/** A node has executed and stored a block. */
export interface CommittedFact {
  readonly subject: Subject;
  readonly committed: CommittedBlock;
}

/** A node has started again and stands at a height. */
export interface StartedFact {
  readonly subject: Subject;
  readonly height: bigint;
  /** Hex; the application's after that height. */
  readonly appHash: string;
}

/** What a node holds against a peer. */
export interface Blame {
  readonly reason: string;
  /** With that the peer is banned; before it was not. */
  readonly isBanned: boolean;
}

/** Something that has to hold. Each calls `fail` with a sentence when it does not. */
export interface Invariant {
  readonly name: string;
  signed?(fact: SignedFact): void;
  voted?(fact: VoteFact): void;
  noticed?(fact: NoticedFact): void;
  forged?(fact: ForgedFact): void;
  committed?(fact: CommittedFact): void;
  started?(fact: StartedFact): void;
  /** A node holds a peer at fault. */
  blamed?(fact: Blame & { readonly by: Subject; readonly peer: Subject }): void;
  /** The run is over. */
  ended?(): void | Promise<void>;
}

/** Says what is wrong. */
export type Fail = (sentence: string) => void;

/** Two values are the same when these are. */
export function blockValue(
  blockId:
    | {
        readonly hash: Uint8Array;
        readonly partSetHeader?: { readonly total: number; readonly hash: Uint8Array };
      }
    | undefined,
): string {
  if (blockId === undefined || blockId.hash.length === 0) return 'nil';
  const header = blockId.partSetHeader;
  return `${toHex(blockId.hash)}/${header?.total ?? 0}/${toHex(header?.hash ?? new Uint8Array(0))}`;
}

/** What a message that a consensus key signs says. */
export function readSigned(message: Uint8Array): Omit<SignedFact, 'subject' | 'key'> {
  const body = message.subarray(readUvarint(message, 0).next);
  if (body[0] === 8 && body[1] === SignedMsgType.SIGNED_MSG_TYPE_PROPOSAL) {
    const { height, round, polRound, blockId } = CanonicalProposal.decode(body);
    const value = blockValue(blockId);
    return { type: 'proposal', height, round: Number(round), value, polRound: Number(polRound) };
  }
  const { type, height, round, blockId } = CanonicalVote.decode(body);
  const isPrevote = type === SignedMsgType.SIGNED_MSG_TYPE_PREVOTE;
  return {
    type: isPrevote ? 'prevote' : 'precommit',
    height,
    round: Number(round),
    value: blockValue(blockId),
    polRound: -1,
  };
}

/** A value short enough for a line. */
export function shortValue(value: string): string {
  return value.slice(0, 6);
}
