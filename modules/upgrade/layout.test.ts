/** The bytes of the store, held against those of the SDK: see test/vectors/upgrade. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { AddressCodec } from '../../framework/address.ts';
import { Context } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { TEST_BLOCK } from '../../framework/testing/memory.ts';
import { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { applyUpgrade, moduleVersions, setModuleVersions } from './apply.ts';
import { checkPlan, doneHeight, lastDone, schedulePlan } from './plans.ts';
import type { UpgradeCore } from './ports.ts';
import { upgradeState } from './state.ts';

const vectors: readonly (readonly [string, string])[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/upgrade/layout.json', import.meta.url), 'utf8'),
);

it('the store of upgrade is that of the SDK, byte for byte', () => {
  const k: UpgradeCore = {
    addresses: new AddressCodec('open'),
    modules: () => [],
    state: upgradeState(),
  };
  const branch = new MemoryMultiStore({ stores: ['upgrade'] }).branch();
  const at = (height: bigint): Context =>
    new Context({ branch, block: { ...TEST_BLOCK, height }, mode: 'finalize', gas: unlimitedGas() });
  const versions = new Map([
    ['bank', 4],
    ['auth', 5],
    ['a', 1],
  ]);
  setModuleVersions(k, at(7n), versions);
  for (const [name, height] of [
    ['first', 7n],
    ['second', 300n],
  ] as const) {
    const context = at(height);
    const plan = checkPlan(k, context, Plan.create({ name, height, info: 'done' }));
    schedulePlan(k, context, plan);
    const run = () => new Map(moduleVersions(k, context)).set('bank', name === 'first' ? 5 : 6);
    applyUpgrade(k, context, { plan, upgrade: { name, run } });
  }
  const context = at(300n);
  const third = Plan.create({ name: 'third', height: 1000n, info: 'https://example.org/info' });
  schedulePlan(k, context, checkPlan(k, context, third));
  k.state.upgradedIbcState.set(context, '1000/upgradedConsState', Uint8Array.of(1, 2, 3));
  const pairs = [...context.store('upgrade').iterate({})].map(([key, value]) => [toHex(key), toHex(value)]);
  expect(pairs).toEqual(vectors);
  expect([lastDone(k, context), doneHeight(k, context, 'first'), doneHeight(k, context, 'none')]).toEqual([
    'second',
    7n,
    0n,
  ]);
});
