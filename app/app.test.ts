import { describe, it, expect } from 'vitest';
import { createApp } from './app.ts';
import { composeModules, storeNames } from './modules.ts';
import { MemoryMultiStore } from '../store/multistore.ts';
import { defaultAppState, encodeAppState } from './genesis.ts';
import { utf8 } from '../core/bytes.ts';

describe('smoke', () => {
  it('runs a block', () => {
    const composition = composeModules('open');
    const app = createApp({
      store: new MemoryMultiStore({ stores: storeNames(composition.modules) }),
      chainId: 'c',
      prefix: 'open',
      verifier: { verify: () => true },
    });
    app.initChain({
      chainId: 'c',
      time: { seconds: 5n, nanos: 0 },
      consensusParams: undefined,
      validators: [],
      initialHeight: 1n,
      appStateBytes: utf8(encodeAppState(defaultAppState(composition.modules))),
    });
    app.finalizeBlock({
      txs: [],
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      hash: new Uint8Array(32),
      height: 1n,
      time: { seconds: 6n, nanos: 0 },
      nextValidatorsHash: new Uint8Array(),
      proposerAddress: new Uint8Array(),
    });
    app.commit();
    expect(app.height).toBe(1n);
  });
});
