import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { JsonObject } from '../../framework/json.ts';
import * as wire from '../../proto/gen/openledger/pools/v1/query.ts';
import {
  deliverOk,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
  registerModel,
} from '../../test/support/economic-loop.ts';
import { restoreChain, startFrom } from '../../test/support/restore.ts';
import { datanetPool, modelPool } from './places.ts';
import { viewOf } from './rows.ts';
import { poolKey, poolState } from './state.ts';

const STATE = poolState();
const SERVICE = '/openledger.pools.v1.Query';

/** Owners and weights of a model's slots. */
function slotsOf({ chain }: Loop, modelId: bigint): readonly (readonly [string, bigint])[] {
  const types = { request: wire.QuerySlotRequest, response: wire.QuerySlotResponse };
  const { slots = 0n } =
    STATE.pools.get(chain.app.contextAt(chain.app.height), poolKey(modelPool(modelId))) ?? {};
  return Array.from({ length: Number(slots) }, (_, slot) => {
    const request = { kind: 2, subject: modelId, slot: BigInt(slot) };
    const { owner, weight } = chain.query(`${SERVICE}/Slot`, types, request).slot;
    return [owner, weight] as const;
  });
}

/** Model 1 of the seller; 2 and 3 of other owners, who ask royalties of 10 % and 5 %; 4 of the owner on both. */
function family(): Loop {
  const loop = playLoop();
  const { chain, first, second, owner } = loop;
  deliverOk(chain, first, registerModel(first, { royaltyBps: 1000 }));
  deliverOk(chain, second, registerModel(second, { parentIds: [2n], royaltyBps: 500 }));
  deliverOk(chain, owner, registerModel(owner, { parentIds: [2n, 3n] }));
  return loop;
}

test('a model’s pool has a slot for its owner and one for each ancestor, by basis points, at once and for good', () => {
  const loop = family();
  const { owner, first, second, seller } = loop;
  expect(slotsOf(loop, 1n)).toEqual([[seller.address, 10_000n]]);
  expect(slotsOf(loop, 3n)).toEqual([
    [second.address, 9_000n],
    [first.address, 1_000n],
  ]);
  // Of model 3's 500 a tenth is model 2's.
  expect(slotsOf(loop, 4n)).toEqual([
    [owner.address, 8_500n],
    [first.address, 1_050n],
    [second.address, 450n],
  ]);
  expect(loop.chain.app.brokenInvariants()).toEqual([]);
});

test('a payment reaches a lineage by one write, and no unit is lost over many', () => {
  const loop = family();
  const { chain, payer } = loop;
  for (let i = 0; i < 7; i++) {
    const requestHash = sha256(utf8(`request ${i}`));
    deliverOk(chain, payer, paymentOf(payInference(payer, [], { modelId: 4n, requestHash })));
  }
  const context = chain.app.contextAt(chain.app.height);
  const balances = [...STATE.balances.iterate(context)].filter(([[[pool]]]) => pool[0] === 2);
  expect(balances.map(([[[, level, index]]]) => [level, index])).toEqual([[2, 0n]]);
  const { paid, rem } = viewOf(STATE, context, modelPool(4n)).totals('uopen');
  expect([paid, rem < 10_000n]).toEqual([7n * 205n, true]);
  expect(viewOf(STATE, context, datanetPool(1n)).totals('uopen').paid).toBe(7n * 513n);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('a genesis brings the pools of its models, or they are made of the models that it has', () => {
  const loop = family();
  const { chain, payer } = loop;
  deliverOk(chain, payer, paymentOf(payInference(payer, [], { modelId: 4n })));
  const restored = restoreChain(chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const exported = chain.app.exportState();
  const pools = exported.appState['pools'] as { readonly pools: readonly JsonObject[] } & JsonObject;
  expect(restored.exportState().appState['pools']).toEqual(pools);
  // As before there were pools of models: no section of pools.
  const { pools: _, ...others } = exported.appState;
  const bare = startFrom(chain, { ...exported, appState: others });
  const made = bare.exportState().appState['pools'] as typeof pools;
  const models = (list: readonly JsonObject[]) => list.filter((one) => JSON.stringify(one).includes('MODEL'));
  for (const part of ['pools', 'slots', 'weights'])
    expect(models(made[part] as readonly JsonObject[]).map(withoutDenoms)).toEqual(
      models(pools[part] as readonly JsonObject[]).map(withoutDenoms),
    );
  expect(models(made.pools).length).toBe(4);
});

function withoutDenoms({ denoms: _, ...rest }: JsonObject): JsonObject {
  return rest;
}

test('a genesis whose lineages name no earlier model, or more than the whole, is refused', () => {
  const { chain } = family();
  const exported = chain.app.exportState();
  const section = exported.appState['models'] as { readonly models: readonly JsonObject[] } & JsonObject;
  const withLineage = (lineage: readonly JsonObject[]) => {
    const models = section.models.map((model, i) => (i === 3 ? { ...model, lineage } : model));
    return () =>
      startFrom(chain, { ...exported, appState: { ...exported.appState, models: { ...section, models } } });
  };
  expect(withLineage([{ model_id: '9', bps: 1 }])).toThrow('an ancestor is no model before this one');
  expect(withLineage([{ model_id: '4', bps: 1 }])).toThrow('an ancestor is no model before this one');
  expect(
    withLineage([
      { model_id: '1', bps: 6000 },
      { model_id: '2', bps: 6000 },
    ]),
  ).toThrow('ancestors take more than the whole');
});
