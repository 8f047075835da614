import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Contribution, Datanet, Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';

/** Looks Datanets up: what models and attribution need. */
export interface DatanetView {
  datanet(context: ReadContext, id: bigint): Datanet | undefined;
  contribution(context: ReadContext, id: bigint): Contribution | undefined;
  /** The contribution at a position of a Datanet's log: accepted, or withdrawn since. */
  contributionAt(context: ReadContext, datanetId: bigint, position: bigint): Contribution | undefined;
  /**
   * True for its owner, whoever is on its allow-list and whoever contributed what was accepted: who may know
   * its texts. Its cost grows with what the account has contributed.
   */
  isMember(context: ReadContext, datanetId: bigint, account: Address): boolean;
  snapshot(context: ReadContext, id: bigint): Snapshot | undefined;
  /** Whether a contribution is in a snapshot: also when it was withdrawn after that was published. */
  isIn(snapshot: Snapshot, contribution: Contribution): boolean;
}

/** Who is told what becomes of contributions. */
export interface DatanetHooks {
  /** A contribution has got its position in the log; also told of each one of a genesis, withdrawn or not. */
  contributionAccepted(context: Context, contribution: Contribution): void;
  contributionWithdrawn(context: Context, contribution: Contribution): void;
}

/** Tells everybody, in the order in which they were added. */
export class DatanetHookList implements DatanetHooks {
  readonly #hooks: DatanetHooks[] = [];

  add(hooks: DatanetHooks): void {
    this.#hooks.push(hooks);
  }

  contributionAccepted(context: Context, contribution: Contribution): void {
    for (const hooks of this.#hooks) hooks.contributionAccepted(context, contribution);
  }

  contributionWithdrawn(context: Context, contribution: Contribution): void {
    for (const hooks of this.#hooks) hooks.contributionWithdrawn(context, contribution);
  }
}
