/** Export, import, and what both must have in common. */
import { initModules } from '../../app/genesis.ts';
import type { OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { exportModules } from '../../app/genesis.ts';
import { momentOf } from '../../app/blocks.ts';
import { utf8 } from '../../core/bytes.ts';
import { Context, QueryContext, type Timestamp } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { canonicalJson, type JsonObject } from '../../framework/json.ts';
import type { RequestInitChain } from '../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { PREFIX } from './actors.ts';
import { CHAIN_ID } from './genesis.ts';

/** What a chain that goes on from another begins with. */
export interface Exported {
  readonly appState: JsonObject;
  readonly request: RequestInitChain;
}

/** The state of the last commit as the beginning of another chain. */
export function exported(app: OpenLedgerApp, time: Timestamp): Exported {
  const appState = app.exportAppState();
  const consensusParams = app.composition.consensus.params(app.contextAt(app.height));
  const initialHeight = app.height + 1n;
  const appStateBytes = utf8(canonicalJson(appState));
  return {
    appState,
    request: { time, chainId: CHAIN_ID, consensusParams, validators: [], appStateBytes, initialHeight },
  };
}

/**
 * Imports an exported state and exports it again.
 * @returns the first difference; undefined when there is none
 */
export function problemOfImport({ appState, request }: Exported): string | undefined {
  const { modules, consensus } = composeModules(PREFIX);
  const branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
  const block = momentOf(CHAIN_ID, 0n, request.time);
  const context = new Context({ branch, block, mode: 'genesis', gas: unlimitedGas() });
  if (request.consensusParams !== undefined) consensus.setParams(context, request.consensusParams);
  consensus.apply(context, initModules(modules, context, appState));
  const again = exportModules(modules, context);
  // As seen after the last block of the chain before.
  const seen = new QueryContext(branch, { ...block, height: request.initialHeight - 1n }, unlimitedGas());
  for (const module of modules)
    for (const invariant of module.invariants) {
      const problem = invariant.check(seen);
      if (problem !== undefined) return `after import: ${module.name}/${invariant.name}: ${problem}`;
    }
  for (const [name, section] of Object.entries(appState)) {
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
