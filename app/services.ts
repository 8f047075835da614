import type { AnyTypes } from '../framework/any-types.ts';
import { QueryError, toStateError } from '../framework/errors.ts';
import { query, type QueryRoute, queryService } from '../framework/query.ts';
import { decodeTxParts } from '../framework/tx/decode.ts';
import type { GasInfo, Result } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import * as node from '../proto/gen/cosmos/base/node/v1beta1/query.ts';
import * as wire from '../proto/gen/cosmos/tx/v1beta1/service.ts';
import { AuthInfo, Tx, TxBody } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { TxOutcome } from './run-tx.ts';

/** What these services answer from. */
export interface ServiceSources {
  /** What an `Any` in a transaction may hold. */
  readonly types: AnyTypes;
  readonly simulate: (txBytes: Uint8Array) => TxOutcome;
}

/**
 * Services of the framework rather than of a module: `cosmos.base.node.v1beta1` and the part of
 * `cosmos.tx.v1beta1` that needs only the state machine: Simulate, TxEncode, TxDecode. What needs blocks or
 * the mempool the node answers (`node/rpc/tx-service.ts`). Source: SDK v0.50 `x/auth/tx/service.go`.
 */
export function nodeQueries(sources: ServiceSources, minGasPrices: string): readonly QueryRoute[] {
  return [
    ...queryService(node.Service, {
      Config: query(node.ConfigRequest, node.ConfigResponse, () => ({
        minimumGasPrice: minGasPrices,
        pruningKeepRecent: '',
        pruningInterval: '',
        haltHeight: 0n,
      })),
      Status: query(node.StatusRequest, node.StatusResponse, (context) => ({
        ...node.StatusResponse.create(),
        height: context.block.height,
        timestamp: context.block.time,
      })),
    }),
    ...queryService(wire.Service, {
      Simulate: query(wire.SimulateRequest, wire.SimulateResponse, (_, request) =>
        simulate(sources, request),
      ),
      TxEncode: query(wire.TxEncodeRequest, wire.TxEncodeResponse, (_, { tx }) => encoded(tx)),
      TxDecode: query(wire.TxDecodeRequest, wire.TxDecodeResponse, (_, { txBytes }) =>
        decoded(sources.types, txBytes),
      ),
    }).filter(({ served }) => served),
  ];
}

function encoded(tx: Tx | undefined): wire.TxEncodeResponse {
  if (tx === undefined) throw new QueryError('InvalidArgument', 'invalid empty tx');
  return { txBytes: Tx.encode(tx) };
}

function decoded(types: AnyTypes, bytes: Uint8Array): wire.TxDecodeResponse {
  if (bytes.length === 0) throw new QueryError('InvalidArgument', 'invalid empty tx bytes');
  try {
    const { raw, body, authInfo } = decodeTxParts(bytes);
    types.check(TxBody, body);
    types.check(AuthInfo, authInfo);
    return { tx: { body, authInfo, signatures: raw.signatures } };
  } catch (error) {
    throw new QueryError('Unknown', toStateError(error).message);
  }
}

function simulate(sources: ServiceSources, { tx, txBytes }: wire.SimulateRequest): wire.SimulateResponse {
  const bytes = txBytes.length === 0 && tx !== undefined ? Tx.encode(tx) : txBytes;
  if (bytes.length === 0) throw new QueryError('InvalidArgument', 'empty txBytes is not allowed');
  const outcome = attemptSimulate(sources, bytes);
  if (outcome.error !== undefined)
    throw new QueryError('Unknown', `${outcome.error.message} with gas used: '${outcome.gasUsed}'`);
  return simulationResult(outcome);
}

function attemptSimulate(sources: ServiceSources, bytes: Uint8Array): TxOutcome {
  try {
    return sources.simulate(bytes);
  } catch (error) {
    throw new QueryError('Unknown', `${toStateError(error).message} with gas used: '0'`);
  }
}

/** A simulated success on the wire. */
export function simulationResult(outcome: TxOutcome): { readonly gasInfo: GasInfo; readonly result: Result } {
  const { gasWanted, gasUsed, data, events, responses } = outcome;
  return { gasInfo: { gasWanted, gasUsed }, result: { data, log: '', events, msgResponses: responses } };
}
