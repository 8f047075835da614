/** The transactions of a block: random operations, some of them changed, in random envelopes. */
import { MsgSubmitProposal, MsgVote } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { MsgSubmitProposal as OldSubmitProposal } from '../../proto/gen/cosmos/gov/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Actor } from './actors.ts';
import { mutated } from './mutation.ts';
import { OPERATIONS } from './operations/all.ts';
import { aReclaimOf } from './operations/direct.ts';
import { anOption } from './operations/gov.ts';
import type { Random } from './random.ts';
import { type Envelope, type Fault, type SigningPorts, signTransaction } from './transactions.ts';
import { actorAt, coin, type Draft, FEE_MAX, later, OTHER_DENOM, packed, type World } from './world.ts';

/** A transaction of a block, as bytes and as what it was made of. */
export interface Sent {
  readonly envelope: Envelope;
  readonly bytes: Uint8Array;
}

const CHOICES = OPERATIONS.map((value) => ({ weight: value.weight, value }));

/** One in so many messages has a field changed. */
const CHANGED_ONE_IN = 14;
/** One in so many transactions has another fault. */
const FAULTY_ONE_IN = 18;
const FAULTS: readonly Fault[] = ['sequence', 'chain', 'signature', 'few signatures', 'bytes'];
const TXS = [0, 1, 2, 2, 3, 3, 4, 4, 6] as const;

/** What is to be done in blocks to come: votes on a proposal that was made, the end of a hold. */
interface Planned {
  readonly height: bigint;
  readonly draft: (world: World) => Draft | undefined;
}

/** Blocks after a hold was opened in which somebody tries to reclaim it. */
const RECLAIMED_AFTER = [1n, 2n];

/** Makes transactions; remembers who is about to vote, and what is about to be reclaimed. */
export class Traffic {
  #planned: Planned[] = [];

  /** Transactions for the next block. */
  next(world: World, ports: SigningPorts): readonly Sent[] {
    const { random } = world;
    const due = this.#planned.filter(({ height }) => height <= world.height + 1n);
    this.#planned = this.#planned.filter(({ height }) => height > world.height + 1n);
    const drafts = due.map(({ draft }) => draft(world));
    for (let i = random.pick(TXS); i > 0; i--) drafts.push(random.weighted(CHOICES).draft(world));
    const sequences = new Map<string, bigint>();
    const counting = withSequences(ports, sequences);
    return drafts.flatMap((draft) => {
      if (draft === undefined) return [];
      const envelope = envelopeOf(world, changedDraft(world, draft));
      const bytes = signed(envelope, counting);
      if (envelope.fault === 'none' && envelope.timeout === undefined)
        for (const { address } of envelope.signers)
          sequences.set(address, (sequences.get(address) ?? 0n) + 1n);
      return [{ envelope, bytes }];
    });
  }

  /** A proposal was made: validators vote on it soon. */
  proposed(world: World, proposalId: bigint): void {
    const { random, composition, context } = world;
    for (const { operator } of [...composition.staking.validators(context)]) {
      const voter = actorAt(world, composition.addresses.toText(operator));
      if (voter === undefined || random.oneIn(4)) continue;
      const height = world.height + BigInt(random.between(1, 4));
      const value = { proposalId, voter: voter.address, option: anOption(world), metadata: '' };
      const draft = (): Draft => ({ signers: [voter], messages: [packed(MsgVote, value)] });
      this.#planned.push({ height, draft });
    }
  }

  /**
   * A hold was opened. The end of the block in which it expires returns it, so that who reclaims it has to be
   * in that very block: tried in those in which a short one may expire.
   */
  held(world: World, holdId: bigint): void {
    for (const blocks of RECLAIMED_AFTER)
      this.#planned.push({ height: world.height + blocks, draft: (later) => aReclaimOf(later, holdId) });
  }
}

/** True of messages that make proposals. */
export function makesProposal(typeUrl: string): boolean {
  return typeUrl === MsgSubmitProposal.typeUrl || typeUrl === OldSubmitProposal.typeUrl;
}

/** Accounts as they will be after the transactions before in the block. */
function withSequences(ports: SigningPorts, sequences: ReadonlyMap<string, bigint>): SigningPorts {
  return {
    ...ports,
    account(actor) {
      const { sequence, accountNumber } = ports.account(actor);
      return { accountNumber, sequence: sequence + (sequences.get(actor.address) ?? 0n) };
    },
  };
}

/** What JSON cannot say is signed directly; what cannot be signed at all is junk. */
function signed(envelope: Envelope, ports: SigningPorts): Uint8Array {
  try {
    return signTransaction(envelope, ports);
  } catch {
    try {
      return signTransaction({ ...envelope, amino: false }, ports);
    } catch {
      return Uint8Array.of(1, 2, 3);
    }
  }
}

function changedDraft(world: World, draft: Draft): Draft {
  const { random } = world;
  const messages = draft.messages.map((message) =>
    random.oneIn(CHANGED_ONE_IN) ? changedMessage(world, message) : message,
  );
  if (!random.oneIn(10)) return { ...draft, messages };
  const more = random.weighted(CHOICES).draft(world);
  if (more === undefined) return { ...draft, messages };
  const signers = [...new Set([...draft.signers, ...more.signers])];
  return { signers, messages: [...messages, ...more.messages] };
}

function changedMessage({ random, composition }: World, { typeUrl, value }: Any): Any {
  const route = composition.router.find(typeUrl);
  return route === undefined ? { typeUrl, value } : { typeUrl, value: mutated(route.type, value, random) };
}

function envelopeOf(world: World, { signers, messages }: Draft): Envelope {
  const { random } = world;
  const [first] = signers;
  const isUnordered = random.oneIn(8);
  return {
    signers,
    messages,
    fee: feeOf(random),
    gas: random.oneIn(25) ? BigInt(random.between(20_000, 150_000)) : 2_500_000n,
    memo: random.oneIn(20) ? 'a memo'.repeat(random.between(1, 12)) : '',
    amino: random.oneIn(8),
    granter: first !== undefined && random.oneIn(6) ? granterOf(world, first) : '',
    timeout: isUnordered
      ? { ...later(world, random.between(-2, 500)), nanos: random.below(1000) }
      : undefined,
    timeoutHeight: random.oneIn(20) ? world.height + BigInt(random.between(0, 3)) : 0n,
    fault: random.oneIn(FAULTY_ONE_IN) ? random.pick(FAULTS) : 'none',
  };
}

function feeOf(random: Random): Envelope['fee'] {
  if (random.oneIn(10)) return [];
  const fee = coin(BigInt(random.between(1, Number(FEE_MAX))));
  return random.oneIn(6) ? [fee, coin(BigInt(random.between(1, 500)), OTHER_DENOM)] : [fee];
}

/** Whoever grants this account fees, if anybody does. */
function granterOf({ random, memory }: World, { address }: Actor): string {
  const mine = memory.allowances.filter(({ grantee }) => grantee === address);
  return random.some(mine)?.granter ?? '';
}
