/** Validators, consensus parameters and the round machine. */
import { LedgerError } from '../../../core/errors.ts';
import { heightOrLatest, latestUncommittedHeight, pageBounds } from '../heights.ts';
import { consensusParamsJson } from '../json/abci.ts';
import { validatorJson } from '../../../light/json/print.ts';
import { roundStateJson, roundStateSimpleJson } from '../json/round-state.ts';
import type { Json } from '../../../light/json/json.ts';
import { type Method, method } from '../method.ts';
import type { RpcPorts } from '../ports.ts';

/** The methods about consensus. */
export function consensusMethods(ports: RpcPorts): readonly Method[] {
  return [
    method({
      name: 'validators',
      params: { height: 'int64?', page: 'int?', per_page: 'int?' },
      cacheable: 'height',
      call: ({ height, page, per_page }) => validatorsAt(ports, height, { page, perPage: per_page }),
    }),
    method({
      name: 'consensus_params',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => consensusParamsAt(ports, height),
    }),
    method({
      name: 'consensus_state',
      params: {},
      call: () => ({ round_state: roundStateSimpleJson(runningCore(ports)) }),
    }),
    method({
      name: 'dump_consensus_state',
      params: {},
      call: () => ({ round_state: roundStateJson(runningCore(ports)), peers: [] }),
    }),
  ];
}

/**
 * Without a height: the newest that are known. A block is stored before it is executed, and in between what
 * follows from it is not known yet (CometBFT answers with an error then).
 */
function consensusParamsAt(ports: RpcPorts, asked: bigint | undefined): Json {
  const latest = heightOrLatest(ports, latestUncommittedHeight(ports), asked);
  for (const at of asked === undefined ? [latest, latest - 1n] : [latest]) {
    const params = ports.state.consensusParams(at);
    if (params !== undefined) {
      return { block_height: at.toString(), consensus_params: consensusParamsJson(params) };
    }
  }
  throw new LedgerError('rpc.params', `could not find consensus params for height #${latest}`);
}

function validatorsAt(
  ports: RpcPorts,
  height: bigint | undefined,
  asked: { readonly page: number | undefined; readonly perPage: number | undefined },
): Json {
  const at = heightOrLatest(ports, latestUncommittedHeight(ports), height);
  const validators = ports.state.validators(at)?.validators;
  if (validators === undefined) {
    throw new LedgerError('rpc.validators', `could not find validator set for height #${at}`);
  }
  const { skip, take } = pageBounds(validators.length, asked);
  return {
    block_height: at.toString(),
    validators: validators.slice(skip, skip + take).map(validatorJson),
    count: take.toString(),
    total: validators.length.toString(),
  };
}

function runningCore(ports: RpcPorts): NonNullable<ReturnType<RpcPorts['consensus']['consensus']>> {
  const core = ports.consensus.consensus();
  if (core === undefined) {
    throw new LedgerError(
      'rpc.consensus',
      'this node is catching up and does not take part in consensus yet',
    );
  }
  return core;
}
