import { expect, test } from 'vitest';
import type { Connection } from '../../client/index.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { ClaimRecord, ClaimState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Party, SplitPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { QueryTermsResponse } from '../../proto/gen/openledger/settlement/v1/query.ts';
import { Epoch, LaneRecord } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { EpochFacts } from './epoch-facts.ts';

const KEY = ed25519Signer(sha256(utf8('receipts')));
const CHANNEL = new Uint8Array(32).fill(3);
const EPOCH = Epoch.create({ id: 1n, gateway: 'open1gateway', denom: 'uopen', roundId: 4n });

/** A node that knows model 1, Datanet 2 with three positions, and claims; claims that it was asked for. */
function nodeWith(claims: ReadonlyMap<bigint, ClaimRecord>) {
  const asked: bigint[] = [];
  const none = (what: string): never => {
    throw new Error(`Query failed with (22): there is no ${what}`);
  };
  const settlement = {
    terms: async ({ gateway, modelId }: { readonly gateway: string; readonly modelId: bigint }) => {
      expect(gateway).toBe(EPOCH.gateway);
      const price = { denom: 'uopen', inPer1000: '0', outPer1000: '1000', perCall: '7' };
      const split = SplitPolicy.create({ platformBps: 10_000, residual: Party.PARTY_PLATFORM });
      return modelId === 1n ? QueryTermsResponse.create({ price, split }) : none(`model ${modelId}`);
    },
    lanes: async ({ roundId }: { readonly roundId: bigint }) => ({
      lanes: [LaneRecord.create({ roundId, channelId: CHANNEL, lane: 6, from: 10n, to: 30n })],
    }),
    gateway: async () => ({ gateway: { receiptKey: KEY.publicKey } }),
  };
  const attribution = {
    async claim({ claimId }: { readonly claimId: bigint }) {
      asked.push(claimId);
      return { claim: claims.get(claimId) ?? none(`claim ${claimId}`) };
    },
  };
  const datanet = {
    datanet: async ({ datanetId }: { readonly datanetId: bigint }) =>
      datanetId === 2n ? { totals: { accepted: 3n } } : none(`datanet ${datanetId}`),
  };
  const comet = { status: async () => ({ nodeInfo: { network: 'chain-1' } }) };
  const connection = { comet, queries: { openledger: { settlement, attribution, datanet } } };
  return { facts: new EpochFacts(connection as unknown as Connection), asked };
}

const place = (id: bigint, index: number, level = 0) => ({
  kind: PlaceKind.PLACE_KIND_DATANET,
  id,
  level,
  index,
});

test('terms, lanes, places and signatures are what the chain says, and nothing where it has nothing', async () => {
  const { facts } = nodeWith(new Map());
  const places = [place(2n, 2), place(2n, 3), place(9n, 0)];
  const chain = await facts.of(EPOCH, { models: new Set([0n, 1n]), claims: new Set(), places });
  expect(chain.denom).toBe('uopen');
  expect(chain.terms(1n)?.quote({ tokensIn: 5n, tokensOut: 2_000n }).fee).toBe(2_007n);
  expect(chain.terms(0n)).toBeUndefined();
  expect(chain.lane(CHANNEL, 6)).toEqual({ from: 10n, to: 30n });
  expect([chain.lane(CHANNEL, 7), chain.lane(new Uint8Array(32), 6)]).toEqual([undefined, undefined]);
  expect(places.map((one) => chain.holds(one))).toEqual([true, false, false]);
  expect([chain.holds(place(2n, 0, 1)), chain.holds({ ...place(2n, 0), kind: 1 })]).toEqual([false, false]);
  const receipt = utf8('a receipt');
  const sign = (chainId: string) => KEY.sign(receiptStatement(chainId, EPOCH.gateway, receipt));
  expect([chain.signed(receipt, sign('chain-1')), chain.signed(receipt, sign('chain-2'))]).toEqual([
    true,
    false,
  ]);
});

test('a claim that receipts may rest on is asked for once, another one again', async () => {
  const final = ClaimRecord.create({ state: ClaimState.CLAIM_STATE_FINAL, receiptId: 1n, modelId: 1n });
  const claims = new Map([
    [1n, final],
    [2n, { ...final, state: ClaimState.CLAIM_STATE_PENDING }],
  ]);
  const { facts, asked } = nodeWith(claims);
  const wanted = { models: new Set<bigint>(), claims: new Set([1n, 2n, 3n]), places: [] };
  for (let round = 0; round < 2; round++) {
    const chain = await facts.of(EPOCH, wanted);
    expect([1n, 2n, 3n].map((id) => chain.claim(id)?.modelId)).toEqual([1n, undefined, undefined]);
  }
  expect(asked).toEqual([1n, 2n, 3n, 2n, 3n]);
  claims.set(2n, final);
  expect((await facts.of(EPOCH, wanted)).claim(2n)?.modelId).toBe(1n);
});
