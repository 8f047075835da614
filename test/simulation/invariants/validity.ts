import { verifyCommit } from '../../../consensus/types/verify-commit.ts';
import type { BlockId } from '../../../consensus/types/block-id.ts';
import { messageOf } from '../../../core/errors.ts';
import { CHAIN_ID } from '../chain.ts';
import { type Fail, type Invariant, blockValue } from '../facts.ts';
import type { SignatureScheme } from '../keys.ts';

/**
 * A block follows the one before it, its last commit carries more than two thirds of the power that decides
 * that height, and its proposer is a validator.
 */
export function validity(fail: Fail, scheme: SignatureScheme): Invariant {
  const ids = new Map<bigint, BlockId>();
  const checked = new Set<bigint>();
  return {
    name: 'validity',
    committed({ subject, committed: { height, block, blockId } }) {
      ids.set(height, blockId);
      const previous = ids.get(height - 1n);
      if (checked.has(height) || previous === undefined) return;
      checked.add(height);
      const { header, lastCommit } = block;
      if (blockValue(header.lastBlockId) !== blockValue(previous)) {
        fail(`block ${height} of ${subject.name} does not follow block ${height - 1n}`);
      }
      const validators = subject.validatorsAt(height - 1n);
      if (validators === undefined) return;
      try {
        verifyCommit({
          chainId: CHAIN_ID,
          validators,
          blockId: previous,
          height: height - 1n,
          commit: lastCommit,
          verify: scheme.verify,
        });
      } catch (error) {
        fail(`block ${height} of ${subject.name} carries a bad commit: ${messageOf(error)}`);
      }
    },
  };
}
