import { cutBlock } from '../../../consensus/types/block.ts';
import { validatorsHash } from '../../../consensus/types/validator-set.ts';
import { toHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import { isDamage } from '../../../node/checksum.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import type { Core } from '../../../node/node.ts';
import { txKey } from '../../../node/tx-key.ts';
import { ResponseFinalizeBlock } from '../../../proto/gen/tendermint/abci/types.ts';
import { blockValue, type Fail, type Invariant } from '../facts.ts';
import type { SimMachine } from '../machine.ts';
import { INDEX } from '../turned-records.ts';

/**
 * Where bits have turned in records, whatever can be read of blocks, states and index is as it was written,
 * or is named as damaged: what is served to peers and over RPC comes from these reads.
 */
export function undamaged(fail: Fail, machines: readonly SimMachine[]): Invariant {
  const chain = new Map<bigint, CommittedBlock>();
  /** The last height that listeners of a node, the index among them, were told of. */
  const told = new Map<string, bigint>();

  async function check({ name, damaged }: SimMachine, core: Core): Promise<void> {
    const reads = async (what: string, read: () => unknown, expected: unknown): Promise<void> => {
      try {
        const found = await read();
        if (found !== expected)
          fail(`${name} reads ${what} as ${String(found)}, and it is ${String(expected)}`);
      } catch (error) {
        const isNamed = isDamage(error) && [...damaged].some((path) => error.message.includes(path));
        if (!isNamed) fail(`${name} cannot read ${what}: ${messageOf(error)}`);
      }
    };
    const { stores, index } = core;
    const { base, height: highest } = stores.blocks.range();
    for (let height = base; height <= highest; height++) {
      const live = chain.get(height);
      if (live === undefined) continue;
      const { block, blockId, results } = live;
      const at = `of height ${height}`;
      const { blocks, state } = stores;
      await reads(`the id ${at}`, () => blockValue(blocks.blockId(height)), blockValue(blockId));
      await reads(`the block ${at}`, () => hexOf(blocks.blockBytes(height)), hexOf(cutBlock(block).bytes));
      const validators = (): string => {
        const set = state.validators(height);
        return hexOf(set && validatorsHash(set));
      };
      await reads(`the validators ${at}`, validators, hexOf(block.header.validatorsHash));
      if (height > core.engine.lastHeight()) continue;
      await reads(`the results ${at}`, () => resultsText(state.results(height)), resultsText(results));
      for (const [i, tx] of block.txs.entries()) {
        const isIndexed = index !== undefined && height <= (told.get(name) ?? 0n);
        // One that failed may be found where it succeeded.
        if (!isIndexed || results.txResults[i]?.code !== 0) continue;
        const place = async (): Promise<bigint | undefined> => {
          const found = await index.get(txKey(tx));
          // What could not be indexed for the damage is not found until the index is rebuilt.
          return found === undefined && damaged.has(INDEX) ? height : found?.height;
        };
        await reads(`a transaction ${at}`, place, height);
      }
    }
  }

  return {
    name: 'damage is named',
    started({ subject, height }) {
      told.set(subject.name, height);
    },
    committed({ subject, committed }) {
      told.set(subject.name, committed.height);
      if (!chain.has(committed.height)) chain.set(committed.height, committed);
    },
    async ended() {
      for (const machine of machines)
        if (machine.core !== undefined && machine.damaged.size > 0) await check(machine, machine.core);
    },
  };
}

function resultsText(results: ResponseFinalizeBlock | undefined): string {
  return hexOf(results && ResponseFinalizeBlock.encode(results));
}

const hexOf = (bytes: Uint8Array | undefined): string => (bytes === undefined ? 'nothing' : toHex(bytes));
