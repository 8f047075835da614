/** Chains whose genesis document has masses of claims, on many shards and with many payouts, due at one height. */
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { AddressCodec, moduleAddress } from '../../framework/address.ts';
import { JsonReader } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { DEFAULT_PARAMS as DATANET_PARAMS } from '../../modules/datanet/params.ts';
import { DEFAULT_PARAMS as MODEL_PARAMS } from '../../modules/models/params.ts';
import { DEFAULT_PARAMS as PAYMENT_PARAMS } from '../../modules/payments/params.ts';
import { POLICY_WEIGHT } from '../../modules/attribution/parts.ts';
import {
  ChunkRequest,
  ClaimRecord,
  ClaimState,
  Index,
  ParamsVersion,
  Shard,
  ShardCommitment,
  Share,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { GenesisState } from '../../proto/gen/openledger/attribution/v1/genesis.ts';
import { Contribution, ContributionState, Datanet } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as datanets from '../../proto/gen/openledger/datanet/v1/genesis.ts';
import * as models from '../../proto/gen/openledger/models/v1/genesis.ts';
import { Model, Party } from '../../proto/gen/openledger/models/v1/models.ts';
import * as payments from '../../proto/gen/openledger/payments/v1/genesis.ts';
import { Payout, Receipt, SplitAmounts } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { StakingWorld, stakingSections } from './staking-world.ts';
import { testAccount } from './test-chain.ts';

const CODEC = new AddressCodec('open');
const VALIDATORS = [10_000_000n];
const ACCOUNTS = [testAccount('0')];
const FINAL_HEIGHT = 2n;
const BOND = { denom: 'uopen', amount: '1' };

/** What all claims of a chain are like. They are due at height 2. */
export interface DueClaims {
  readonly claims: number;
  readonly state: ClaimState;
  /** Shards of the index that each claim has for itself. Default 0: it has none. */
  readonly shards?: number;
  /** The indexes are retired: they go with their claims, and their shards unbond. */
  readonly retired?: boolean;
  /** The first shard of each index has been convicted, and its indexes end at height 2. */
  readonly voided?: boolean;
  /** All indexes hold the same shards. */
  readonly together?: boolean;
  /** Contributors that wait for each: a number that divides `POLICY_WEIGHT`. Default 0: nobody has paid. */
  readonly shares?: number;
  /** Somebody asked for a piece of each, and nobody has answered by height 2. */
  readonly asked?: boolean;
}

/** Somebody without a key. */
export function someoneNamed(name: string): string {
  return CODEC.toText(sha256(utf8(name)).slice(0, 20));
}

function times<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** See the file comment. Ids of claims begin at 1; several sorts of claims follow each other. */
export function chainWithDue(...sorts: readonly DueClaims[]): StakingWorld {
  const made = sorts.reduce<Made>((before, sort) => append(before, sort), {
    claims: [],
    indexes: [],
    shards: [],
  });
  const bonds =
    made.shards.filter(({ voidedHeight }) => voidedHeight === 0n).length +
    made.claims.filter(({ bond }) => bond !== undefined).length +
    requestsFor(made.claims).length;
  const escrows = made.claims.filter(({ receiptId }) => receiptId > 0n).map(receiptOf);
  const waiting = escrows.reduce((sum, { fee }) => sum + Number(fee.amount), 0);
  const base = stakingSections({ validators: VALIDATORS, accounts: ACCOUNTS });
  const bank = new JsonReader(base, '').member('bank').object();
  const before = new JsonReader(bank, '').member('balances').elements();
  const held = [
    ['attribution', bonds],
    ['payments', waiting],
  ].map(([name, amount]) => ({
    address: CODEC.toText(moduleAddress(`${name}`)),
    coins: amount === 0 ? [] : [{ denom: 'uopen', amount: `${amount}` }],
  }));
  return new StakingWorld({
    validators: VALIDATORS,
    accounts: ACCOUNTS.length,
    sections: {
      bank: { ...bank, balances: [...before.map(({ value }) => value ?? null), ...held] },
      attribution: attributionOf(made),
      datanet: datanetOf(made),
      models: messageToJson(
        models.GenesisState,
        models.GenesisState.create({ params: MODEL_PARAMS, models: [model()] }),
      ),
      payments: messageToJson(
        payments.GenesisState,
        payments.GenesisState.create({ params: PAYMENT_PARAMS, receipts: escrows }),
      ),
    },
  });
}

interface Made {
  readonly claims: readonly ClaimRecord[];
  readonly indexes: readonly Index[];
  readonly shards: readonly Shard[];
}

function append(made: Made, sort: DueClaims): Made {
  const { claims, shards = 0, retired = false, voided = false, together = false, shares = 0 } = sort;
  const publisher = someoneNamed('publisher');
  const commitment = ShardCommitment.create({
    ...{ datanetId: 1n, documents: 1, tokens: 1, tokeniser: 1, entriesPerLeaf: 1 },
  });
  const newShards = times(together ? shards : claims * shards, (i) =>
    Shard.create({
      ...{ id: BigInt(made.shards.length + i + 1), publisher, commitment, bond: BOND },
      indexes: together ? claims : 1,
      ...{ paramsVersion: 1n },
      ...(voided && i % shards === 0 ? { voidedHeight: 1n, releaseHeight: FINAL_HEIGHT } : {}),
    }),
  );
  const newIndexes = times(shards === 0 ? 0 : claims, (i) => {
    const from = together ? 0 : i * shards;
    const shardIds = newShards.slice(from, from + shards).map(({ id }) => id);
    const id = BigInt(made.indexes.length + i + 1);
    return Index.create({ id, publisher, snapshotId: 1n, shardIds, endpoint: 'x', claims: 1, retired });
  });
  const newClaims = times(claims, (i) => {
    const id = BigInt(made.claims.length + i + 1);
    return ClaimRecord.create({
      ...{ id, modelId: 1n, state: sort.state, paramsVersion: 1n },
      ...{ finalHeight: FINAL_HEIGHT, dueHeight: FINAL_HEIGHT },
      ...{ claimant: someoneNamed('claimant'), payer: someoneNamed('payer') },
      bond: sort.state === ClaimState.CLAIM_STATE_PENDING ? BOND : undefined,
      indexIds: newIndexes.slice(i, i + 1).map((index) => index.id),
      receiptId: shares > 0 ? id : 0n,
      openRequests: sort.asked === true ? 1 : 0,
      totalWeight: POLICY_WEIGHT,
      unattributedWeight: shares === 0 ? POLICY_WEIGHT : 0n,
      shares: times(shares, (j) => {
        const weight = POLICY_WEIGHT / BigInt(shares);
        return Share.create({ contributionId: BigInt(j + 1), contributor: someoneNamed(`${j}`), weight });
      }),
    });
  });
  return {
    claims: [...made.claims, ...newClaims],
    indexes: [...made.indexes, ...newIndexes],
    shards: [...made.shards, ...newShards],
  };
}

function requestsFor(claims: readonly ClaimRecord[]): readonly ChunkRequest[] {
  return claims
    .filter(({ openRequests }) => openRequests > 0)
    .map(({ id }) =>
      ChunkRequest.create({
        ...{ id, requester: someoneNamed('requester'), claimId: id, bond: BOND },
        ...{ deadline: FINAL_HEIGHT, paramsVersion: 1n, place: { tree: 22, document: 0, chunk: 0 } },
      }),
    );
}

function attributionOf({ claims, indexes, shards }: Made) {
  const requests = requestsFor(claims);
  const objects = BigInt(claims.length + shards.length + requests.length);
  const paramsVersions = [ParamsVersion.create({ version: 1n, params: DEFAULT_PARAMS, objects })];
  const genesis = { params: DEFAULT_PARAMS, claims, indexes, shards, requests, paramsVersions };
  return messageToJson(GenesisState, GenesisState.create(genesis));
}

/** A Datanet with a contribution for each that a claim names, in the order of their ids. */
function datanetOf({ claims }: Made) {
  const count = Math.max(0, ...claims.map(({ shares }) => shares.length));
  const datanet = Datanet.create({ id: 1n, owner: someoneNamed('owner'), slug: 'd', createdHeight: 1n });
  const contributions = times(count, (i) =>
    Contribution.create({
      ...{ id: BigInt(i + 1), canonicalId: BigInt(i + 1), datanetId: 1n, position: BigInt(i) },
      ...{ contributor: someoneNamed(`${i}`), root: sha256(utf8(`${i}`)), byteLength: 1n },
      state: ContributionState.CONTRIBUTION_STATE_ACCEPTED,
    }),
  );
  const genesis = { params: DATANET_PARAMS, datanets: [datanet], contributions };
  return messageToJson(datanets.GenesisState, datanets.GenesisState.create(genesis));
}

function model(): Model {
  const owner = someoneNamed('owner');
  const price = { denom: 'uopen', inPer1000: '0', outPer1000: '0', perCall: '0' };
  return Model.create({ id: 1n, owner, name: 'm', price, split: MODEL_PARAMS.defaultSplit });
}

/** The receipt of a claim: one unit waits for each of its contributors. */
function receiptOf({ id, shares }: ClaimRecord): Receipt {
  const amount = `${shares.length}`;
  const payout = Payout.create({
    party: Party.PARTY_CONTRIBUTORS,
    recipient: CODEC.toText(moduleAddress('payments')),
    ...{ amount, claimId: id },
  });
  return Receipt.create({
    ...{ id, payer: someoneNamed('payer'), modelId: 1n, requestHash: sha256(utf8(`${id}`)), claimId: id },
    fee: { denom: 'uopen', amount },
    split: SplitAmounts.create({ platform: '0', model: '0', stakers: '0', contributors: amount }),
    payouts: [payout],
  });
}
