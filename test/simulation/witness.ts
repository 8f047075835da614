/**
 * A module of simulated chains: the app hash depends on all that a block tells the application besides
 * transactions: who signed the last one, who is to blame, who proposed it. So no node can be told something
 * else than the others, however little the other modules make of it.
 */
import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { EMPTY_BYTES, concatBytes, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { Schema } from '../../framework/collections.ts';
import type { BlockInfo } from '../../framework/context.ts';
import type { Module } from '../../framework/module.ts';
import { bytesValue } from '../../framework/values.ts';
import type { CommitMultiStore } from '../../store/kv.ts';
import { emptyModule } from '../support/empty-module.ts';
import { plainVerifier } from '../support/test-chain.ts';
import { CHAIN_ID, PREFIX } from './chain.ts';

const STORE = 'witness';
const told = new Schema(STORE).item({ prefix: Uint8Array.of(0), name: 'told', value: bytesValue });

/** See the file comment. Its state is 32 bytes: a hash over all blocks. */
export const WITNESS: Module = emptyModule(STORE, {
  storeNames: [STORE],
  beginBlock(context) {
    const before = told.get(context) ?? EMPTY_BYTES;
    told.set(context, sha256(concatBytes(before, utf8(testimony(context.block)))));
  },
});

/** Substores of a simulated node, whose state machine has these modules besides the program's own. */
export function simulationStores(furtherModules: readonly Module[]): readonly string[] {
  return storeNames(composeModules(PREFIX, { furtherModules }).modules);
}

/** The application of a simulated node, without the node. */
export function simulationApp(store: CommitMultiStore, furtherModules: readonly Module[]): OpenLedgerApp {
  return createApp({ store, chainId: CHAIN_ID, prefix: PREFIX, verifier: plainVerifier, furtherModules });
}

function testimony(block: BlockInfo): string {
  const { height, time, proposerAddress, hash, nextValidatorsHash, lastCommit, misbehavior } = block;
  return [
    `${height} ${time.seconds}.${time.nanos} ${[proposerAddress, hash, nextValidatorsHash].map(toHex).join(' ')}`,
    ...lastCommit.map(
      ({ validatorAddress, power, absent }) => `${toHex(validatorAddress)} ${power} ${absent}`,
    ),
    ...misbehavior.map(
      ({ kind, validatorAddress, power, height: at, time: when }) =>
        `${kind} ${toHex(validatorAddress)} ${power} ${at} ${when.seconds}.${when.nanos}`,
    ),
  ].join('\n');
}
