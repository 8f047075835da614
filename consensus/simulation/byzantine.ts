/**
 * A validator that tells everybody something else: votes for other blocks, for nil, or none; two proposals
 * in one round, invalid blocks and blocks that nobody can have. Locks and earlier words do not bind it.
 */
import { type BlockId, isNilBlockId, NIL_BLOCK_ID } from '../types/block-id.ts';
import type { Proposal } from '../types/proposal.ts';
import type { Vote } from '../types/vote.ts';
import { SimulatedNode } from './node.ts';

/** An equivocating validator. */
export class ByzantineNode extends SimulatedNode {
  override publishVote(vote: Vote): void {
    const { network } = this;
    for (const peer of network.nodes) {
      for (let said = 0; said < 1 + network.random.below(2); said++) {
        if (network.random.percent(15)) continue;
        const blockId = this.#chooseBlock(vote);
        network.send(
          { from: this.index, to: peer.index },
          { kind: 'vote', vote: this.sign({ ...vote, blockId }) },
        );
      }
    }
  }

  #chooseBlock(vote: Vote): BlockId {
    const { network } = this;
    const choice = network.random.below(100);
    if (choice < 35) return vote.blockId;
    if (choice < 60 && !isNilBlockId(vote.blockId)) return NIL_BLOCK_ID;
    return network.random.pick(network.blocks.at(vote.height))?.blockId ?? NIL_BLOCK_ID;
  }

  override publishProposal(proposal: Proposal): void {
    const { network } = this;
    const invalid = network.random.percent(25);
    const withheld = network.random.percent(20);
    const other = network.blocks.make(proposal.height, invalid ? 'invalid' : 'accepted', withheld);
    for (const peer of network.nodes) {
      const shown = network.random.percent(50) ? proposal : { ...proposal, blockId: other.blockId };
      network.send({ from: this.index, to: peer.index }, { kind: 'proposal', proposal: shown });
    }
  }
}
