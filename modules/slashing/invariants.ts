import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { missedBlocks } from './bitmap.ts';
import type { SlashingCore } from './ports.ts';

/** What must hold of slashing after every block. They walk over everything. */
export function slashingInvariants(k: SlashingCore): readonly Invariant[] {
  return [
    { name: 'missed-blocks', check: (context) => checkCounters(k, context) },
    { name: 'tombstones', check: (context) => checkTombstones(k, context) },
  ];
}

/** Each counter is that of the bits. */
function checkCounters(k: SlashingCore, context: ReadContext): string | undefined {
  for (const [consensusAddress, info] of k.state.signingInfos.iterate(context)) {
    const missed = missedBlocks(k.state.bitmaps, context, consensusAddress).length;
    if (info.missedBlocksCounter !== BigInt(missed))
      return `${info.address} has missed ${info.missedBlocksCounter} blocks, its bitmap says ${missed}`;
  }
  return undefined;
}

/** Who is tombstoned is jailed, or gone. */
function checkTombstones(k: SlashingCore, context: ReadContext): string | undefined {
  for (const [consensusAddress, { address, tombstoned }] of k.state.signingInfos.iterate(context))
    if (tombstoned && k.staking.validatorByKey(context, consensusAddress)?.jailed === false)
      return `${address} is tombstoned and not jailed`;
  return undefined;
}
