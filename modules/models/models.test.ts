import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import {
  AttributionMethod,
  Model,
  Params,
  Party,
  type SplitPolicy,
} from '../../proto/gen/openledger/models/v1/models.ts';
import * as wire from '../../proto/gen/openledger/models/v1/query.ts';
import {
  MsgRegisterModel,
  MsgRegisterModelResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
} from '../../proto/gen/openledger/models/v1/tx.ts';
import { MsgPayInference, MsgPayInferenceResponse } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  contribute,
  deliver,
  deliverOk,
  documentText,
  playLoop,
  publishSnapshot,
  registerModel,
} from '../../test/support/economic-loop.ts';
import { CLAIM_INDEXES_MAX } from '../attribution/proof/provenance.ts';
import { provableContent } from '../attribution/prove.ts';
import { modelErrors } from './errors.ts';
import { flattenLineage } from './lineage.ts';
import { StakingWorld } from '../../test/support/staking-world.ts';
import { TestChain } from '../../test/support/test-chain.ts';
import { DEFAULT_PARAMS, validateParams } from './params.ts';

test('a model takes the default split, and is found by owner and by snapshot', () => {
  const { chain, seller } = playLoop();
  const { models } = chain.query(
    '/openledger.models.v1.Query/ModelsBySnapshot',
    { request: wire.QueryModelsBySnapshotRequest, response: wire.QueryModelsBySnapshotResponse },
    { snapshotId: 1n },
  );
  expect(models.map(({ id, split }) => [id, split])).toEqual([[1n, DEFAULT_PARAMS.defaultSplit]]);
  const own = chain.query(
    '/openledger.models.v1.Query/ModelsByOwner',
    { request: wire.QueryModelsByOwnerRequest, response: wire.QueryModelsByOwnerResponse },
    { owner: seller.address },
  );
  expect(own.models.map(({ name }) => name)).toEqual(['quoter']);
});

test('each refusal has its number', () => {
  const { chain, seller } = playLoop();
  const split = { ...DEFAULT_PARAMS.defaultSplit, modelBps: 1999 };
  const greedy = { ...DEFAULT_PARAMS.defaultSplit, modelBps: 6900, contributorsBps: 100 };
  const price = { denom: 'uopen', inPer1000: '-1', outPer1000: '0', perCall: '0' };
  const cases: readonly (readonly [Partial<MsgRegisterModel>, keyof typeof modelErrors])[] = [
    [{ split }, 'invalidSplit'],
    [{ split: greedy }, 'invalidSplit'],
    [{ price }, 'invalidPrice'],
    [{ name: ' ' }, 'invalidModel'],
    [{ weightsRoot: new Uint8Array(31) }, 'invalidModel'],
    [{ snapshotIds: [1n, 1n] }, 'invalidModel'],
    [{ snapshotIds: [] }, 'invalidModel'],
    [{ snapshotIds: [7n] }, 'unknownSnapshot'],
    [{ parentIds: [7n] }, 'unknownParent'],
    [{ attributionMethod: 3 }, 'methodNotSupported'],
  ];
  for (const [change, name] of cases) {
    const result = deliver(chain, seller, registerModel(seller, change));
    expect([result.codespace, result.code], name).toEqual(['models', modelErrors[name].code]);
  }
});

test('a model with a token part has as many snapshots as a claim can name indexes of', () => {
  const { chain, owner, first, seller } = playLoop();
  for (let i = 0; i < CLAIM_INDEXES_MAX; i++) {
    deliverOk(chain, first, contribute(first, provableContent(documentText(`more ${i}`))));
    deliverOk(chain, owner, publishSnapshot(owner));
  }
  const snapshotIds = Array.from({ length: CLAIM_INDEXES_MAX + 1 }, (_, i) => BigInt(i + 1));
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  const withToken = (tokenBps: number, ids: readonly bigint[]) =>
    registerModel(seller, {
      ...{ snapshotIds: ids, attributionMethod },
      attributionPolicy: {
        ...{ tokenBps, influenceBps: 10_000 - tokenBps },
        ...{ retrievalBps: 0, bondedClaimsOnly: false },
      },
    });
  const refused = deliver(chain, seller, withToken(1, snapshotIds));
  expect([refused.codespace, refused.code]).toEqual(['models', modelErrors.invalidModel.code]);
  expect(refused.log).toContain('5 snapshots: a claim names an index of each, at most 4');
  deliverOk(chain, seller, withToken(0, snapshotIds));
  deliverOk(chain, seller, withToken(1, snapshotIds.slice(1)));
});

test('parents that ask for more than the chain allows are refused', () => {
  const { chain, seller } = playLoop();
  deliverOk(chain, seller, registerModel(seller, { royaltyBps: 3000 }));
  deliverOk(chain, seller, registerModel(seller, { royaltyBps: 3000 }));
  deliverOk(chain, seller, registerModel(seller, { parentIds: [2n] }));
  const result = deliver(chain, seller, registerModel(seller, { parentIds: [2n, 3n] }));
  expect(result.code).toBe(modelErrors.lineageTooLarge.code);
});

test('flattened lineage: parents share exactly what they ask for, grandparents take out of it', () => {
  const grandparent = Model.create({ id: 1n, royaltyBps: 1000 });
  const parent = Model.create({
    id: 2n,
    royaltyBps: 2000,
    lineage: flattenLineage([grandparent], DEFAULT_PARAMS),
  });
  expect(flattenLineage([parent, grandparent], DEFAULT_PARAMS)).toEqual([
    { modelId: 1n, bps: 1200 },
    { modelId: 2n, bps: 1800 },
  ]);
  const royalties = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(royalties, { minLength: 1, maxLength: 6 }), (generations) => {
      let parents: readonly Model[] = [];
      let id = 0n;
      for (const generation of generations) {
        const lineage = flattenLineage(parents, DEFAULT_PARAMS);
        const asked = parents.reduce((sum, { royaltyBps }) => sum + royaltyBps, 0);
        expect(lineage.reduce((sum, { bps }) => sum + bps, 0)).toBe(asked);
        parents = generation.map((royaltyBps) => Model.create({ id: ++id, royaltyBps, lineage }));
      }
    }),
  );
});

test('an unnamed residual party is refused', () => {
  const { chain, seller } = playLoop();
  const split = { ...DEFAULT_PARAMS.defaultSplit, residual: Party.PARTY_UNSPECIFIED };
  expect(deliver(chain, seller, registerModel(seller, { split })).code).toBe(modelErrors.invalidSplit.code);
});

/** Sets parameters of a chain with accounts 0 and 1 as only a proposal that has passed may. */
function withParams(change: Partial<Params>): ReturnType<typeof playLoop> {
  const params = messageToJson(Params, { ...DEFAULT_PARAMS, ...change });
  return playLoop(new TestChain({ accounts: 6, genesis: { sections: { models: { params } } } }));
}

test('each part of a split has a floor and a ceiling; 0 sets no ceiling', () => {
  const split = { platformBps: 1000, modelBps: 2000, stakersBps: 2000, contributorsBps: 5000, residual: 1 };
  const cases: readonly (readonly [Partial<Params>, Partial<SplitPolicy>])[] = [
    [{ platformBpsMin: 900 }, { platformBps: 899, modelBps: 2101 }],
    [{ modelBpsMin: 1500 }, { modelBps: 1499, contributorsBps: 5501 }],
    [{ stakersBpsMin: 1900 }, { stakersBps: 1899, modelBps: 2101 }],
    [{ contributorsBpsMin: 4000 }, { contributorsBps: 3999, modelBps: 3001 }],
    [{ platformBpsMax: 1100 }, { platformBps: 1101, modelBps: 1899 }],
    [{ modelBpsMax: 2100 }, { modelBps: 2101, contributorsBps: 4899 }],
    [{ stakersBpsMax: 2100 }, { stakersBps: 2101, modelBps: 1899 }],
    [{ contributorsBpsMax: 5100 }, { contributorsBps: 5101, modelBps: 1899 }],
  ];
  for (const [params, change] of cases) {
    const { chain, seller } = withParams(params);
    const refused = deliver(chain, seller, registerModel(seller, { split: { ...split, ...change } }));
    expect([refused.codespace, refused.code]).toEqual(['models', modelErrors.invalidSplit.code]);
    expect(refused.log).toMatch(/the chain (asks for at least|allows at most) /);
    deliverOk(chain, seller, registerModel(seller, { split }));
    const { chain: free, seller: other } = withParams({ platformBpsMax: 0, stakersBpsMax: 0 });
    deliverOk(free, other, registerModel(other, { split: { ...split, ...change } }));
  }
});

test('bounds that change bind new versions only: a model keeps the split that its payers saw', () => {
  const world = new StakingWorld({ validators: [20_000_000n], accounts: 2 });
  const owner = world.account(0).address;
  const split = { ...DEFAULT_PARAMS.defaultSplit, modelBps: 5000, contributorsBps: 2000 };
  const model = (change: Partial<MsgRegisterModel>) =>
    MsgRegisterModel.create({
      ...{ owner, name: 'm', weightsRoot: new Uint8Array(32), split },
      ...{ price: { denom: 'uopen', inPer1000: '0', outPer1000: '0', perCall: '1000' }, ...change },
    });
  const register = { message: MsgRegisterModel, response: MsgRegisterModelResponse };
  const { modelId } = world.run(register, model({}));
  const authority = world.composition.addresses.toText(moduleAddress('gov'));
  const params = { ...DEFAULT_PARAMS, modelBpsMax: 3000 };
  world.run({ message: MsgUpdateParams, response: MsgUpdateParamsResponse }, { authority, params });
  expect(() => world.run(register, model({ parentIds: [modelId] }))).toThrow('model_bps is 5000');
  const receipt = world.run(
    { message: MsgPayInference, response: MsgPayInferenceResponse },
    MsgPayInference.create({
      ...{ payer: world.account(1).address, modelId, requestHash: new Uint8Array(32) },
      ...{ tokensOut: 1n, maxFee: { denom: 'uopen', amount: '1000' } },
    }),
  );
  expect(receipt.split).toMatchObject({ model: '500', platform: '300' });
  expect(world.broken()).toEqual([]);
});

test('parameters whose default split is outside of their own bounds are refused', () => {
  for (const change of [{ modelBpsMin: 2001 }, { contributorsBpsMax: 4999 }, { stakersBpsMax: 10_001 }])
    expect(() => validateParams({ ...DEFAULT_PARAMS, ...change })).toThrow();
});
