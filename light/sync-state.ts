/**
 * What state sync begins with: three verified blocks in a row, and validator sets whose priorities and
 * proposers can be relied on. Source: CometBFT v0.38.21 `statesync/stateprovider.go`.
 */
import { equalBytes } from '../core/bytes.ts';
import { incrementProposerPriority } from '../consensus/proposer.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import type { Validator, ValidatorSet } from '../consensus/types/validator.ts';
import { validatorByAddress } from '../consensus/types/validator-set.ts';
import type { LightClient } from './client.ts';
import { checkPriorities, checkSuccessor } from './priorities.ts';

/** The blocks of a snapshot's height and the two after it. */
export interface SyncBlocks {
  /** Of the snapshot's height: its validators signed the last block. */
  readonly last: LightBlock;
  /** Names the app hash and the results of the snapshot's height; its validators decide the next block. */
  readonly current: LightBlock;
  /** Its validators are those after the next. */
  readonly next: LightBlock;
}

/**
 * Verifies the blocks that a state of that height is made of.
 * @throws LedgerError `light.priorities` when a provider's priorities cannot be right (GHSA-g5xx-c4hv-9ccc),
 *   `light.height_too_high` when the chain is not two blocks further yet, and as `LightClient.lightBlock`
 */
export async function syncBlocks(
  client: Pick<LightClient, 'lightBlock'>,
  height: bigint,
): Promise<SyncBlocks> {
  // Highest first: what lies below is verified from the same trusted block, or by hashes.
  const next = await client.lightBlock(height + 2n);
  const current = await client.lightBlock(height + 1n);
  const last = await client.lightBlock(height);
  for (const block of [last, current, next]) checkPriorities(block);
  checkSuccessor(last, current);
  checkSuccessor(current, next);
  const lastSet = withProposer(last, undefined);
  const currentSet = withProposer(current, lastSet);
  const nextSet = withProposer(next, currentSet);
  return {
    last: { ...last, validators: lastSet },
    current: { ...current, validators: currentSet },
    next: { ...next, validators: nextSet },
  };
}

/**
 * The set with whose turn round 0 is. Pages of validators do not say it. A block decided in round 0 names it,
 * and so does the set before when nothing changed; otherwise it is a guess (CometBFT always guesses,
 * cometbft#5279), which the next height puts right.
 */
function withProposer(
  { header, commit, validators: set }: LightBlock,
  before: ValidatorSet | undefined,
): ValidatorSet {
  const proposer =
    commit.round === 0 ? validatorByAddress(set, header.proposerAddress) : afterTurn(before, set);
  return proposer === undefined ? set : { ...set, proposer };
}

function afterTurn(before: ValidatorSet | undefined, set: ValidatorSet): Validator | undefined {
  if (before === undefined) return undefined;
  const turned = incrementProposerPriority(before, 1);
  const isSame =
    turned.validators.length === set.validators.length &&
    turned.validators.every((each, i) => {
      const other = set.validators[i];
      return (
        other !== undefined &&
        equalBytes(each.address, other.address) &&
        each.votingPower === other.votingPower &&
        each.proposerPriority === other.proposerPriority
      );
    });
  return isSame ? turned.proposer : undefined;
}
