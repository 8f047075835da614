import { EMPTY_BYTES, utf8 } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';
import type { QueryContext } from '../framework/context.ts';
import { StateError, sdkErrors, toStateError } from '../framework/errors.ts';
import type { QueryRegistry } from '../framework/query.ts';
import { SimulationResponse } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import type { RequestQuery, ResponseQuery } from '../proto/gen/tendermint/abci/types.ts';
import type { CommitMultiStore } from '../store/kv.ts';
import { failureOf } from './blocks.ts';
import type { TxOutcome } from './run-tx.ts';
import { simulationResult } from './services.ts';

/** What `query` answers from. */
export interface QuerySources {
  readonly store: CommitMultiStore;
  readonly queries: QueryRegistry;
  readonly version: string;
  contextAt(height: bigint): QueryContext;
  simulate(txBytes: Uint8Array): TxOutcome;
}

/**
 * Answers by path: a method of the registry (`/cosmos.bank.v1beta1.Query/Balance`), a key of a substore
 * (`/store/bank/key`, with proof if wanted), `/app/version` or `/app/simulate`. Height 0 is the last commit.
 * Never throws for what was asked.
 */
export function answerQuery(request: RequestQuery, sources: QuerySources): ResponseQuery {
  const latest = sources.store.lastCommit.version;
  const height = request.height === 0n ? latest : request.height;
  try {
    if (request.height < 0n)
      throw new StateError(
        sdkErrors.invalidRequest,
        'cannot query with height < 0; please provide a valid height',
      );
    return { ...EMPTY, height, ...answer({ ...request, height }, sources) };
  } catch (error) {
    return { ...EMPTY, height, ...failureOf(toStateError(error)) };
  }
}

const EMPTY: ResponseQuery = {
  code: 0,
  log: '',
  info: '',
  index: 0n,
  key: EMPTY_BYTES,
  value: EMPTY_BYTES,
  proofOps: undefined,
  height: 0n,
  codespace: '',
};

function answer(request: RequestQuery, sources: QuerySources): Partial<ResponseQuery> {
  const route = sources.queries.find(request.path);
  if (route !== undefined) return { value: route.answer(sources.contextAt(request.height), request.data) };
  const [root, ...rest] = request.path.replace(/^\//, '').split('/');
  switch (root) {
    case 'store':
      return answerStore(request, sources, rest);
    case 'app':
      return answerApp(request, sources, rest[0]);
    default:
      throw new StateError(sdkErrors.unknownRequest, `unknown query path ${request.path.slice(0, 128)}`);
  }
}

function answerStore(
  request: RequestQuery,
  { store }: QuerySources,
  [name, kind, ...rest]: readonly string[],
): Partial<ResponseQuery> {
  if (name === undefined || kind !== 'key' || rest.length > 0)
    throw new StateError(sdkErrors.unknownRequest, 'store queries have the form /store/<name>/key');
  if (request.data.length === 0) throw new StateError(sdkErrors.txDecode, 'query cannot be zero length');
  try {
    const { data: key, height: version, prove } = request;
    const { value, proofOps } = store.query({ store: name, key, version, prove });
    return {
      key,
      value: value ?? EMPTY_BYTES,
      proofOps: prove ? { ops: proofOps } : undefined,
    };
  } catch (error) {
    if (!(error instanceof LedgerError) || error instanceof StateError) throw error;
    const kindOf = error.code === 'store.unknown' ? sdkErrors.unknownRequest : sdkErrors.invalidRequest;
    throw new StateError(kindOf, error.message);
  }
}

function answerApp(
  request: RequestQuery,
  sources: QuerySources,
  what: string | undefined,
): Partial<ResponseQuery> {
  switch (what) {
    case 'version':
      return { value: utf8(sources.version) };
    case 'simulate': {
      const outcome = sources.simulate(request.data);
      if (outcome.error !== undefined) throw outcome.error;
      return { value: SimulationResponse.encode(simulationResult(outcome)) };
    }
    default:
      throw new StateError(sdkErrors.unknownRequest, 'unknown query: expected /app/version or /app/simulate');
  }
}
