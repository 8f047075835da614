import type { QueryContext } from '../framework/context.ts';
import { QueryError, toStateError } from '../framework/errors.ts';
import { query, type QueryRoute, queryService } from '../framework/query.ts';
import type { GasInfo, Result } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import * as node from '../proto/gen/cosmos/base/node/v1beta1/query.ts';
import {
  Service as TxService,
  SimulateRequest,
  SimulateResponse,
} from '../proto/gen/cosmos/tx/v1beta1/service.ts';
import { Tx } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { TxOutcome } from './run-tx.ts';

/** What these services answer from. */
export interface ServiceSources {
  readonly height: bigint;
  simulate(txBytes: Uint8Array): TxOutcome;
  contextAt(height: bigint): QueryContext;
}

/**
 * Services of the framework rather than of a module: `cosmos.base.node.v1beta1` and the part of
 * `cosmos.tx.v1beta1` that needs only the state machine (Simulate). What needs blocks the node answers
 * (`node/rpc/tx-service.ts`).
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
    ...queryService(TxService, {
      Simulate: query(SimulateRequest, SimulateResponse, (_, request) => simulate(sources, request)),
    }).filter(({ method }) => method.name === 'Simulate'),
  ];
}

function simulate(sources: ServiceSources, { tx, txBytes }: SimulateRequest): SimulateResponse {
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
