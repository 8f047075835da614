import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import type { ExportedState, ExportOptions } from '../../app/export.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { utf8 } from '../../core/bytes.ts';
import { canonicalJson } from '../../framework/json.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { plainVerifier, type TestChain } from './test-chain.ts';

/**
 * A new chain whose genesis is the exported state of another, at whose height it goes on (or at 1, for an
 * export for height 0), after its first block.
 */
export function restoreChain(chain: TestChain, options: ExportOptions = {}): OpenLedgerApp {
  return startFrom(chain, chain.app.exportState(options));
}

/** The same from what was exported. */
export function startFrom(chain: TestChain, exported: ExportedState): OpenLedgerApp {
  const { chainId } = chain;
  const { prefix } = chain.app.composition.addresses;
  const height = exported.initialHeight === 0n ? 1n : exported.initialHeight;
  const stores = storeNames(composeModules(prefix).modules);
  const store = new MemoryMultiStore({ stores, initialVersion: height });
  const app = createApp({ store, chainId, prefix, verifier: plainVerifier });
  const time = { seconds: 1_800_000_000n, nanos: 0 };
  app.initChain({
    chainId,
    time,
    consensusParams: exported.consensusParams,
    validators: [],
    initialHeight: height,
    appStateBytes: utf8(canonicalJson(exported.appState)),
  });
  app.finalizeBlock({
    txs: [],
    decidedLastCommit: { round: 0, votes: [] },
    misbehavior: [],
    hash: new Uint8Array(32),
    height,
    time,
    nextValidatorsHash: new Uint8Array(32),
    proposerAddress: new Uint8Array(20),
  });
  app.commit();
  return app;
}
