import { expect, test } from 'vitest';
import { sumOfParts } from '../payments/fee.ts';
import { QueryModelRequest, QueryModelResponse } from '../../proto/gen/openledger/models/v1/query.ts';
import { QueryTermsRequest, QueryTermsResponse } from '../../proto/gen/openledger/settlement/v1/query.ts';
import { registerModel } from '../../test/support/economic-loop.ts';
import { registerRetrieval, SettlementWorld } from '../../test/support/settlement-world.ts';

const TERMS = '/openledger.settlement.v1.Query/Terms';
const MODEL = '/openledger.models.v1.Query/Model';

function termsOf({ chain }: SettlementWorld, gateway: string, modelId = 1n): QueryTermsResponse {
  const types = { request: QueryTermsRequest, response: QueryTermsResponse };
  return chain.query(TERMS, types, { gateway, modelId });
}

test('terms are the price and split of the model, and the positions of its snapshots by their bytes', () => {
  const world = new SettlementWorld();
  const types = { request: QueryModelRequest, response: QueryModelResponse };
  const { price, split } = world.chain.query(MODEL, types, { modelId: 1n }).model;
  const bytes = world.loop.documents.reduce((sum, { commitment }) => sum + commitment.byteLength, 0);
  expect(termsOf(world, world.gateway.address)).toEqual({
    price,
    split,
    datanets: [{ datanetId: 1n, positions: 2n, weight: BigInt(bytes) }],
    statedBps: 0,
  });
});

test('only a gateway that owns the model may state weights, up to its retrieval part', () => {
  const world = new SettlementWorld();
  world.sendOk(world.gateway, registerRetrieval(world.gateway));
  expect(termsOf(world, world.gateway.address, 2n).statedBps).toBe(2_000);
  expect(termsOf(world, world.watcher.address, 2n).statedBps).toBe(0);
});

test('a model that is not there, and an address that is none, are refused', () => {
  const world = new SettlementWorld();
  expect(() => termsOf(world, world.gateway.address, 9n)).toThrow('there is no model 9');
  expect(() => termsOf(world, 'nobody')).toThrow(/nobody|address/);
});

test('a model without snapshots owes its contributors nothing: their part is the residual party’s', () => {
  const world = new SettlementWorld();
  world.sendOk(world.gateway, registerModel(world.gateway, { snapshotIds: [], attributionMethod: 0 }));
  world.claim([0, 1_260n]);
  const quoteOf = (modelId: bigint) =>
    world.watched().terms(modelId)?.quote({ tokensIn: 500n, tokensOut: 700n });
  const [usual, bare] = [quoteOf(1n), quoteOf(2n)];
  if (usual === undefined || bare === undefined) throw new RangeError('no terms');
  const { platform, contributors, ...others } = usual.parts;
  expect(contributors).toBe(630n);
  expect(bare.parts).toEqual({ ...others, platform: platform + contributors, contributors: 0n });
  expect([bare.fee, sumOfParts(bare.parts)]).toEqual([1_260n, 1_260n]);
});
