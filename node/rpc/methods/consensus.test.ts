import { expect, test } from 'vitest';
import { updateConsensusParams, DEFAULT_CONSENSUS_PARAMS } from '../../../consensus/types/params.ts';
import type { ReadParams } from '../method.ts';
import type { RpcPorts } from '../ports.ts';
import { consensusMethods } from './consensus.ts';

const params = updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, undefined);

/** A node with blocks 1 to 9 that has executed so many of them: the heights that it answers for. */
function paramsMethod(executed: bigint): (height?: bigint) => unknown {
  const ports = {
    blocks: { range: () => ({ base: 1n, height: 9n }) },
    status: { catchingUp: () => false },
    state: { consensusParams: (height: bigint) => (height <= executed + 1n ? params : undefined) },
  } as unknown as RpcPorts;
  const found = consensusMethods(ports).find(({ name }) => name === 'consensus_params');
  const context = { remote: '', connection: undefined, id: '1' };
  return (height) => found?.call((() => ({ height })) as unknown as ReadParams, context).result;
}

test('consensus_params answers while the last block is stored and not executed yet', () => {
  expect(paramsMethod(9n)()).toMatchObject({ block_height: '10' });
  expect(paramsMethod(8n)()).toMatchObject({ block_height: '9' });
});

test('consensus_params of a height that is not known is an error, never those of another', () => {
  expect(() => paramsMethod(8n)(10n)).toThrow('could not find consensus params for height #10');
  expect(() => paramsMethod(7n)()).toThrow('could not find consensus params for height #10');
});
