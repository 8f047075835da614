/**
 * Queries by path that the node answers in its application's place: clients ask a Cosmos SDK application for
 * them, which asks its node; here the node answers by itself.
 */
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { ResponseQuery } from '../../proto/gen/tendermint/abci/types.ts';
import { COMET_ANSWERS, type CometServicePorts } from './comet-service.ts';
import { failureOf } from './query-status.ts';
import { TX_ANSWERS, type TxServicePorts } from './tx-service.ts';

/** What these queries are answered from. */
export type NodeQueryPorts = TxServicePorts & CometServicePorts;

/** By path. */
const ANSWERS: Readonly<
  Record<string, (ports: NodeQueryPorts, data: Uint8Array) => Uint8Array | Promise<Uint8Array>>
> = { ...TX_ANSWERS, ...COMET_ANSWERS };

/** Paths that the node answers instead of its application. */
export const NODE_QUERY_PATHS: readonly string[] = Object.keys(ANSWERS);

/** The answer to a query of a path of `NODE_QUERY_PATHS`, failures included; undefined for any other path. */
export async function answerNodeQuery(
  ports: NodeQueryPorts,
  { path, data }: { readonly path: string; readonly data: Uint8Array },
): Promise<ResponseQuery | undefined> {
  const answer = Object.hasOwn(ANSWERS, path) ? ANSWERS[path] : undefined;
  if (answer === undefined) return undefined;
  const { height } = ports.blocks.range();
  try {
    return ResponseQuery.create({ height, value: await answer(ports, data) });
  } catch (error) {
    if (!(error instanceof LedgerError || error instanceof DecodeError)) throw error;
    return ResponseQuery.create({ height, ...failureOf(error) });
  }
}
