import type { ReadContext } from '../../framework/context.ts';
import type { Contribution, Datanet, Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';

/** Looks Datanets up: what models and attribution need. */
export interface DatanetView {
  datanet(context: ReadContext, id: bigint): Datanet | undefined;
  contribution(context: ReadContext, id: bigint): Contribution | undefined;
  /** The accepted contribution at a position of a Datanet's log. */
  contributionAt(context: ReadContext, datanetId: bigint, position: bigint): Contribution | undefined;
  snapshot(context: ReadContext, id: bigint): Snapshot | undefined;
}
