/** What is seen of a machine from outside: all that its signer gives away, its peers tell it, and it says of them. */
import { proposalSignBytes, voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import type { ConsensusSigner, EvidenceSink } from '../../node/engine/ports.ts';
import { VOTES_CHANNEL } from '../../p2p/channels.ts';
import type { Network } from '../../p2p/network.ts';
import type { Blame } from './facts.ts';
import type { SimMachine } from './machine.ts';

/** Who hears of what happens on a machine. */
export interface MachineObserver {
  /** A peer has sent bytes on the channel of votes. */
  given(machine: SimMachine, bytes: Uint8Array): void;
  /** Its engine has a vote and another one in the same step of the same validator. */
  noticed(machine: SimMachine, vote: Vote): void;
  signed(machine: SimMachine, publicKey: Uint8Array, message: Uint8Array): void;
  /** An adversary makes a block that nobody may take: its value in votes, and what is wrong. */
  forged(machine: SimMachine, value: string, what: string): void;
  committed(machine: SimMachine, committed: CommittedBlock): void;
  started(machine: SimMachine, height: bigint, appHash: Uint8Array): void;
  blamed(machine: SimMachine, peer: string, blame: Blame): void;
  /** The node does not start, or has stopped by itself. */
  stopped(machine: SimMachine, what: 'refused to start' | 'stopped', error: unknown): void;
  line(machine: SimMachine, text: string): void;
}

/** Whatever the signer gives away is seen here, whether it leaves the machine or not. */
export function observedSigner(signer: ConsensusSigner, machine: SimMachine): ConsensusSigner {
  const { observer, scheme } = machine.ports;
  const { publicKey } = scheme.makeSigner(machine.options.keySeed, 'ed25519');
  return {
    address: signer.address,
    signVote: async (chainId, vote) => {
      const signed = await signer.signVote(chainId, vote);
      observer.signed(machine, publicKey, voteSignBytes(chainId, signed));
      return signed;
    },
    signProposal: async (chainId, proposal) => {
      const signed = await signer.signProposal(chainId, proposal);
      observer.signed(machine, publicKey, proposalSignBytes(chainId, signed));
      return signed;
    },
  };
}

/** The votes that a node is given, and what it holds against its peers. */
export function observedNetwork(network: Network, machine: SimMachine): Network {
  const { observer } = machine.ports;
  const penalize = network.penalize.bind(network);
  network.penalize = (peer, penalty) => {
    const isBanned = (): boolean => network.standing(peer).bannedForMs > 0;
    const wasBanned = isBanned();
    penalize(peer, penalty);
    observer.blamed(machine, peer, { reason: penalty.reason, isBanned: !wasBanned && isBanned() });
  };
  const handle = network.handle.bind(network);
  network.handle = (channel, handler) => {
    if (channel !== VOTES_CHANNEL.name) return handle(channel, handler);
    handle(channel, (peer, bytes) => {
      observer.given(machine, bytes);
      return handler(peer, bytes);
    });
  };
  return network;
}

/** Sees the conflicting votes that an engine hands over. */
export function observeConflicts(
  evidence: Pick<EvidenceSink, 'conflictingVotes'>,
  machine: SimMachine,
): void {
  const take = evidence.conflictingVotes.bind(evidence);
  evidence.conflictingVotes = (first, second) => {
    machine.ports.observer.noticed(machine, first);
    take(first, second);
  };
}
