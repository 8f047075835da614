import { type BlockInfo, Context } from '../context.ts';
import { GasMeter, GAS_UNLIMITED } from '../gas.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';

/** A block for tests. */
export const TEST_BLOCK: BlockInfo = {
  chainId: 'test-chain-1',
  height: 1n,
  time: { seconds: 1_700_000_000n, nanos: 0 },
  proposerAddress: new Uint8Array(20),
  hash: new Uint8Array(32),
  lastCommit: [],
  misbehavior: [],
  nextValidatorsHash: new Uint8Array(32),
  appHash: new Uint8Array(32),
};

/** A context over an empty store in memory with these substores. */
export function memoryContext(stores: readonly string[], gasLimit: bigint = GAS_UNLIMITED): Context {
  const branch = new MemoryMultiStore({ stores }).branch();
  return new Context({ branch, block: TEST_BLOCK, mode: 'finalize', gas: new GasMeter(gasLimit) });
}
