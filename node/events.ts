/**
 * What the node announces, in CometBFT's event types (v0.38 `types/events.go`). The event bus publishes these
 * values, the RPC server writes them as JSON.
 */
import type { BlockId } from '../consensus/types/block-id.ts';
import type { Evidence } from '../consensus/types/evidence.ts';
import type { Validator } from '../consensus/types/validator.ts';
import type { Vote } from '../consensus/types/vote.ts';
import type { Event, ResponseFinalizeBlock, TxResult } from '../proto/gen/tendermint/abci/types.ts';
import type { Block } from '../consensus/types/block.ts';
import type { Header } from '../consensus/types/header.ts';

/** The key that carries the name of an event: `tm.event='NewBlock'`. */
export const EVENT_TYPE_KEY = 'tm.event';
/** Key of a transaction's hash. */
export const TX_HASH_KEY = 'tx.hash';
/** Key of the height of a transaction's block. */
export const TX_HEIGHT_KEY = 'tx.height';
/** Key of a block's height in the block index. */
export const BLOCK_HEIGHT_KEY = 'block.height';

/** The data of an event; `type` is the value of `tm.event`. */
export type EventData =
  | {
      readonly type: 'NewBlock';
      readonly block: Block;
      readonly blockId: BlockId;
      readonly results: ResponseFinalizeBlock;
    }
  | { readonly type: 'NewBlockHeader'; readonly header: Header }
  | {
      readonly type: 'NewBlockEvents';
      readonly height: bigint;
      readonly events: readonly Event[];
      readonly numTxs: bigint;
    }
  | { readonly type: 'NewEvidence'; readonly height: bigint; readonly evidence: Evidence }
  | { readonly type: 'Tx'; readonly result: TxResult; readonly txKey: string }
  | { readonly type: 'ValidatorSetUpdates'; readonly validators: readonly Validator[] }
  | { readonly type: 'Vote'; readonly vote: Vote }
  | {
      readonly type: 'NewRoundStep';
      readonly height: bigint;
      readonly round: number;
      /** As CometBFT names it: `RoundStepPropose`. */
      readonly step: string;
    };

/** Composite keys (`transfer.sender`) with their values, in the order in which they occurred. */
export type EventAttributes = ReadonlyMap<string, readonly string[]>;

/** An event and what queries can find it by. */
export interface EventMessage {
  readonly data: EventData;
  readonly events: EventAttributes;
}
