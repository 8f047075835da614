/** Export, import, and what both must have in common. */
import type { OpenLedgerApp } from '../../app/app.ts';
import { momentOf } from '../../app/blocks.ts';
import type { ExportedState } from '../../app/export.ts';
import { exportModules, initModules } from '../../app/genesis.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { utf8 } from '../../core/bytes.ts';
import { Context, QueryContext, type Timestamp } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { canonicalJson } from '../../framework/json.ts';
import { consensusKeyMessage } from '../../modules/consensus/keys.ts';
import type { RequestInitChain } from '../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { PREFIX } from './actors.ts';
import { CHAIN_ID } from './genesis.ts';

/** What a chain begins with that goes on from an exported state. */
export function requestOf(
  { appState, consensusParams, validators, initialHeight }: ExportedState,
  time: Timestamp,
): RequestInitChain {
  return {
    time,
    chainId: CHAIN_ID,
    consensusParams,
    validators: validators.map(({ pubKey, power }) => ({ pubKey: consensusKeyMessage(pubKey), power })),
    appStateBytes: utf8(canonicalJson(appState)),
    initialHeight,
  };
}

/**
 * Exports the last commit, imports it, and exports it again.
 * @param forZeroHeight exported for a chain that begins anew
 * @returns the first difference; undefined when there is none
 */
export function problemOfExport(
  app: OpenLedgerApp,
  { time, forZeroHeight }: { readonly time: Timestamp; readonly forZeroHeight: boolean },
): string | undefined {
  const state = app.exportState({ forZeroHeight });
  const { modules, consensus } = composeModules(PREFIX);
  const branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
  const { initialHeight } = state;
  const block = momentOf(CHAIN_ID, initialHeight > 1n ? initialHeight : 0n, time);
  const context = new Context({ branch, block, mode: 'genesis', gas: unlimitedGas() });
  consensus.setParams(context, state.consensusParams);
  consensus.apply(context, initModules(modules, context, state.appState));
  const seen = new QueryContext(branch, block, unlimitedGas());
  for (const { name, invariants } of modules)
    for (const invariant of invariants) {
      const problem = invariant.check(seen);
      if (problem !== undefined) return `after import: ${name}/${invariant.name}: ${problem}`;
    }
  const again = exportModules(modules, context);
  for (const [name, section] of Object.entries(state.appState)) {
    const [before, after] = [canonicalJson(section), canonicalJson(again[name] ?? null)];
    if (before !== after) return `section ${name} changes: ${difference(before, after)}`;
  }
  return undefined;
}

const SHOWN = 80;

function difference(before: string, after: string): string {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const from = Math.max(0, at - SHOWN);
  return `…${before.slice(from, at + SHOWN)}… becomes …${after.slice(from, at + SHOWN)}…`;
}
