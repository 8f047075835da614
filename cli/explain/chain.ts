/** What `explain` asks of a node. */
import type { Header } from '../../consensus/types/header.ts';
import type { ProofOp } from '../../light/proof/store-proof.ts';
import type { Event } from '../../proto/gen/tendermint/abci/types.ts';

/** A transaction that is in a block. */
export interface FoundTx {
  /** Upper hexadecimal digits. */
  readonly hash: string;
  readonly height: bigint;
  readonly tx: Uint8Array;
  readonly code: number;
  readonly events: readonly Event[];
}

/** A question to the application. Height 0 is the last state. */
export interface ChainQuestion {
  readonly path: string;
  readonly data: Uint8Array;
  readonly height: bigint;
  readonly prove: boolean;
}

/** See the file comment. */
export interface ExplainChain {
  /** Height of the last block. */
  latest(): Promise<bigint>;
  /** Undefined when the block is not there yet. */
  header(height: bigint): Promise<Header | undefined>;
  /** @throws LedgerError `explain.query` with the node's words */
  ask(
    question: ChainQuestion,
  ): Promise<{ readonly value: Uint8Array; readonly ops: readonly ProofOp[]; readonly height: bigint }>;
  /** Undefined when there is none. @param hash upper hexadecimal digits */
  tx(hash: string): Promise<FoundTx | undefined>;
  /** All of them, in rising order. @throws LedgerError `explain.too_long` when there are more than `SEARCH_MAX` */
  txs(query: string): Promise<readonly FoundTx[]>;
  /** Heights of blocks whose own events match, in rising order. @throws LedgerError `explain.too_long` */
  blocks(query: string): Promise<readonly bigint[]>;
  /** Events of a block that are of no transaction. */
  blockEvents(height: bigint): Promise<readonly Event[]>;
}

/** Most results of one search: what there is more of is an error, never left out. */
export const SEARCH_MAX = 20_000;

/** An attribute of an event; empty when it has none. */
export function attributeOf({ attributes }: Event, key: string): string {
  return attributes.find((attribute) => attribute.key === key)?.value ?? '';
}
