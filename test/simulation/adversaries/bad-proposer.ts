/**
 * A validator most of whose proposals are blocks with one thing wrong. Proposals, parts and signatures are
 * right: what is wrong has to be found in the block. Where its form is right our node is made to propose it;
 * what our node would not make takes the place of its block on the wire.
 */
import { type Block, cutBlock } from '../../../consensus/types/block.ts';
import { type BlockContext, makeBlock, verifyBlock } from '../../../consensus/types/block-rules.ts';
import { proposalSignBytes } from '../../../consensus/types/sign-bytes.ts';
import { toHex } from '../../../core/bytes.ts';
import { rootFromProof } from '../../../core/merkle.ts';
import type { NodeEnvironment } from '../../../node/environment.ts';
import { decodeDataMessage, encodeConsensusMessage } from '../../../node/gossip/messages.ts';
import { DATA_CHANNEL } from '../../../p2p/channels.ts';
import type { Network } from '../../../p2p/network.ts';
import { CHAIN_ID } from '../chain.ts';
import { blockValue } from '../facts.ts';
import type { MachineOptions, SimMachine } from '../machine.ts';
import { BREAKAGES, type BlockRoom, type Broken } from './broken-blocks.ts';
import { FORGERIES } from './forgeries.ts';
import { tamperedNetwork } from './network.ts';

type DataMessage = ReturnType<typeof decodeDataMessage>;

const RIGHT_PERCENT = 15;
/** What can be wrong with a block. */
export const BAD_KINDS: readonly string[] = [...Object.keys(FORGERIES), ...Object.keys(BREAKAGES)];
/** From one kind to the next: prime to their number, so that each has its turn. */
const STRIDE = 11;

/** How bad blocks are made. */
export interface BadBlockOptions extends BlockRoom {
  /** Index of the kind that comes first; the others follow in turn. */
  readonly first: number;
}

/** The machine with such a proposer on it; it says whatever it says of other things. */
export function badProposer(machine: MachineOptions, options: BadBlockOptions): MachineOptions {
  const { environment = (same) => same, network = (same) => same } = machine;
  const proposers = new WeakMap<SimMachine, BadProposer>();
  const proposerOn = (on: SimMachine): BadProposer => {
    const known = proposers.get(on) ?? new BadProposer(on, options);
    proposers.set(on, known);
    return known;
  };
  return {
    ...machine,
    isHonest: false,
    environment: (given, on) => proposerOn(on).environment(environment(given, on)),
    network: (given, on) => proposerOn(on).network(network(given, on)),
  };
}

/** What was broken, and the number of parts of the block that it stands for. */
interface Replacement extends Broken {
  readonly partsOfRight: number;
}

class BadProposer {
  readonly #machine: SimMachine;
  readonly #room: BlockRoom;
  /** The next one first. One that nothing can be made of yet keeps its place. */
  readonly #kinds: string[];
  /** By the root of the parts of the right block. */
  readonly #replacements = new Map<string, Replacement>();

  constructor(machine: SimMachine, options: BadBlockOptions) {
    this.#machine = machine;
    this.#room = options;
    this.#kinds = BAD_KINDS.map((_, i) => BAD_KINDS[(options.first + i * STRIDE) % BAD_KINDS.length] ?? '');
  }

  environment(given: NodeEnvironment): NodeEnvironment {
    const make: typeof makeBlock = (context, content) => this.#make(makeBlock(context, content), context);
    return { ...given, blockRules: { makeBlock: make, verifyBlock } };
  }

  network(given: Network): Network {
    return tamperedNetwork(given, {
      send: ({ channel, bytes }) => {
        if (channel !== DATA_CHANNEL.name || this.#replacements.size === 0) return [bytes];
        return this.#instead(decodeDataMessage(bytes))?.map(encodeConsensusMessage) ?? [bytes];
      },
    });
  }

  #make(right: Block, context: BlockContext): Block {
    if (this.#machine.ports.scheduler.random.percent(RIGHT_PERCENT)) return right;
    for (const [at, kind] of this.#kinds.entries()) {
      const bad = this.#break(right, kind) ?? this.#forge(right, { kind, context });
      if (bad === undefined) continue;
      this.#kinds.push(...this.#kinds.splice(at, 1));
      return bad;
    }
    return right;
  }

  #forge(right: Block, { kind, context }: { kind: string; context: BlockContext }): Block | undefined {
    const forged = FORGERIES[kind]?.(right, context);
    if (forged !== undefined) this.#tell(cutBlock(forged), kind);
    return forged;
  }

  /** The block as it is: what goes out in its place is broken. */
  #break(right: Block, kind: string): Block | undefined {
    const breakUp = BREAKAGES[kind];
    if (breakUp === undefined) return undefined;
    const { partSetHeader } = cutBlock(right).blockId;
    const broken = breakUp(right, this.#room);
    this.#replacements.set(toHex(partSetHeader.hash), { ...broken, partsOfRight: partSetHeader.total });
    this.#tell(broken, kind);
    return right;
  }

  #tell({ blockId }: Pick<Broken, 'blockId'>, what: string): void {
    this.#machine.ports.observer.forged(this.#machine, blockValue(blockId), what);
  }

  /** What goes out in the place of a message about a block that was broken. */
  #instead(message: DataMessage): readonly DataMessage[] | undefined {
    if (message.kind === 'proposal') {
      const broken = this.#replacements.get(toHex(message.proposal.blockId.partSetHeader.hash));
      if (broken === undefined) return undefined;
      const proposal = { ...message.proposal, blockId: broken.blockId };
      const signature = this.#sign(proposalSignBytes(CHAIN_ID, proposal));
      return [{ kind: 'proposal', proposal: { ...proposal, signature } }];
    }
    if (message.kind !== 'blockPart') return undefined;
    const { part } = message;
    const broken = this.#replacements.get(toHex(rootFromProof(part.proof) ?? new Uint8Array(0)));
    if (broken === undefined) return undefined;
    const isLast = part.index === broken.partsOfRight - 1;
    const parts = broken.parts.slice(part.index, isLast ? broken.parts.length : part.index + 1);
    return parts.map((other) => ({ ...message, part: other }));
  }

  #sign(message: Uint8Array): Uint8Array {
    const { scheme } = this.#machine.ports;
    return scheme.makeSigner(this.#machine.options.keySeed, 'ed25519').sign(message);
  }
}
