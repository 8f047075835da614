import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { utf8 } from '../../core/bytes.ts';
import { canonicalJson } from '../../framework/json.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { plainVerifier, type TestChain } from './test-chain.ts';

/**
 * A new chain whose genesis is the exported state of another, at whose height it goes on, after its first
 * block.
 */
export function restoreChain(chain: TestChain): OpenLedgerApp {
  const { chainId } = chain;
  const { prefix } = chain.app.composition.addresses;
  const height = chain.height + 1n;
  const stores = storeNames(composeModules(prefix).modules);
  const store = new MemoryMultiStore({ stores, initialVersion: height });
  const app = createApp({ store, chainId, prefix, verifier: plainVerifier });
  const time = { seconds: 1_800_000_000n, nanos: 0 };
  app.initChain({
    chainId,
    time,
    consensusParams: undefined,
    validators: [],
    initialHeight: height,
    appStateBytes: utf8(canonicalJson(chain.app.exportAppState())),
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
