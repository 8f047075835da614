/** Starts the chain of a genesis in memory: what the modules and genesis transactions say of each other. */
import { createApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { sha256 } from '../../core/hash.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { initChainRequest } from '../../genesis/encode.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import type { CheckedGenesis } from '../home/genesis-file.ts';

/**
 * Runs InitChain, which also delivers the genesis transactions and checks their signatures.
 * @returns the number of validators that the chain begins with
 * @throws LedgerError `genesis.invalid` with what the chain would say when it starts
 */
export function tryGenesis(file: string, { document, prefix }: CheckedGenesis): number {
  const stores = storeNames(composeModules(prefix).modules);
  const store = new MemoryMultiStore({ stores, initialVersion: document.initialHeight });
  const app = createApp({
    store,
    chainId: document.chainId,
    prefix,
    verifier: {
      verify: ({ pubKey, signBytes, signature }) =>
        pubKey.kind === 'secp256k1' && verifySecp256k1(pubKey.bytes, sha256(signBytes), signature),
    },
  });
  try {
    return app.initChain(initChainRequest(document)).validators.length;
  } catch (cause) {
    const message = `the chain of ${file} would not start: ${messageOf(cause)}`;
    throw new LedgerError('genesis.invalid', message, {}, cause);
  }
}
