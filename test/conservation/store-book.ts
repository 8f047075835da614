/** The module itself, over the multistore: orders, blocks that end, claims by messages, its own invariants. */
import { StateError } from '../../framework/errors.ts';
import { poolErrors } from '../../modules/pools/errors.ts';
import { poolInvariants } from '../../modules/pools/invariants.ts';
import { PoolsWorld } from '../support/pools-world.ts';
import type { Book, Operation } from './workload.ts';

const OWNERS = 5;

/** See the file comment. Epochs are two blocks long. */
export class StoreBook implements Book {
  readonly world: PoolsWorld = new PoolsWorld({ epochBlocks: 2, gasPerRow: 1 });
  paid = 0n;
  taken = 0n;

  take(operation: Operation): void {
    const { world } = this;
    switch (operation.kind) {
      case 'pay':
        world.pay(operation.amount, { place: operation.place });
        break;
      case 'claim':
        this.#claim(Number(operation.slot));
        break;
      case 'order':
        world.order(Number(operation.slot), operation.weight, Number(operation.slot) % OWNERS);
        break;
      case 'epoch':
        this.endEpoch();
        break;
      default:
        operation satisfies never;
    }
  }

  /** Ends blocks until nothing waits any more. */
  endEpoch(): void {
    const { core, staking } = this.world;
    do staking.endBlock();
    while (!core.state.changes.iterate(staking.context).next().done);
  }

  #claim(slot: number): void {
    try {
      for (const coin of this.world.claim(slot % OWNERS, [slot])) this.taken += BigInt(coin.slice(0, -5));
    } catch (error) {
      if (!(error instanceof StateError) || error.kind !== poolErrors.nothingOwed) throw error;
    }
  }

  /** What is wrong. */
  broken(): readonly string[] {
    const { core, staking } = this.world;
    return poolInvariants(core).flatMap(({ check }) => check(staking.context) ?? []);
  }
}
