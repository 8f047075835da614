/** Query services of the native modules over `abci_query`, as an extension of CosmJS's `QueryClient`. */
import type { QueryClient } from '@cosmjs/stargate';
import type { MessageType } from '../proto/codec/message.ts';
import * as attribution from '../proto/gen/openledger/attribution/v1/query.ts';
import * as channels from '../proto/gen/openledger/channels/v1/query.ts';
import * as datanet from '../proto/gen/openledger/datanet/v1/query.ts';
import * as models from '../proto/gen/openledger/models/v1/query.ts';
import * as payments from '../proto/gen/openledger/payments/v1/query.ts';
import * as pools from '../proto/gen/openledger/pools/v1/query.ts';
import * as settlement from '../proto/gen/openledger/settlement/v1/query.ts';

/** Asks one query; fields left out of the request have their defaults. Rejects with the node's sentence. */
export type Ask<Q, A> = (request?: Partial<Q>) => Promise<A>;

/** What `setupOpenLedgerExtension` adds. */
export interface OpenLedgerExtension {
  readonly datanet: DatanetQueries;
  readonly models: ModelQueries;
  readonly attribution: AttributionQueries;
  readonly payments: PaymentQueries;
  readonly channels: ChannelQueries;
  readonly pools: PoolQueries;
  readonly settlement: SettlementQueries;
}

/** `openledger.datanet.v1.Query`. */
export interface DatanetQueries {
  readonly params: Ask<datanet.QueryParamsRequest, datanet.QueryParamsResponse>;
  readonly datanet: Ask<datanet.QueryDatanetRequest, datanet.QueryDatanetResponse>;
  readonly datanetBySlug: Ask<datanet.QueryDatanetBySlugRequest, datanet.QueryDatanetBySlugResponse>;
  readonly datanets: Ask<datanet.QueryDatanetsRequest, datanet.QueryDatanetsResponse>;
  readonly allowList: Ask<datanet.QueryAllowListRequest, datanet.QueryAllowListResponse>;
  readonly contribution: Ask<datanet.QueryContributionRequest, datanet.QueryContributionResponse>;
  readonly contributionsByDatanet: Ask<
    datanet.QueryContributionsByDatanetRequest,
    datanet.QueryContributionsByDatanetResponse
  >;
  readonly contributionsByContributor: Ask<
    datanet.QueryContributionsByContributorRequest,
    datanet.QueryContributionsByContributorResponse
  >;
  readonly snapshot: Ask<datanet.QuerySnapshotRequest, datanet.QuerySnapshotResponse>;
  readonly snapshotsByDatanet: Ask<
    datanet.QuerySnapshotsByDatanetRequest,
    datanet.QuerySnapshotsByDatanetResponse
  >;
  readonly snapshotProof: Ask<datanet.QuerySnapshotProofRequest, datanet.QuerySnapshotProofResponse>;
}

/** `openledger.models.v1.Query`. */
export interface ModelQueries {
  readonly params: Ask<models.QueryParamsRequest, models.QueryParamsResponse>;
  readonly model: Ask<models.QueryModelRequest, models.QueryModelResponse>;
  readonly models: Ask<models.QueryModelsRequest, models.QueryModelsResponse>;
  readonly modelsByOwner: Ask<models.QueryModelsByOwnerRequest, models.QueryModelsByOwnerResponse>;
  readonly modelsBySnapshot: Ask<models.QueryModelsBySnapshotRequest, models.QueryModelsBySnapshotResponse>;
}

/** `openledger.attribution.v1.Query`. */
export interface AttributionQueries {
  readonly params: Ask<attribution.QueryParamsRequest, attribution.QueryParamsResponse>;
  readonly paramsOfVersion: Ask<
    attribution.QueryParamsOfVersionRequest,
    attribution.QueryParamsOfVersionResponse
  >;
  readonly claim: Ask<attribution.QueryClaimRequest, attribution.QueryClaimResponse>;
  readonly claimsByContribution: Ask<
    attribution.QueryClaimsByContributionRequest,
    attribution.QueryClaimsByContributionResponse
  >;
  readonly openClaims: Ask<attribution.QueryOpenClaimsRequest, attribution.QueryOpenClaimsResponse>;
  readonly shard: Ask<attribution.QueryShardRequest, attribution.QueryShardResponse>;
  readonly shards: Ask<attribution.QueryShardsRequest, attribution.QueryShardsResponse>;
  readonly index: Ask<attribution.QueryIndexRequest, attribution.QueryIndexResponse>;
  readonly indexes: Ask<attribution.QueryIndexesRequest, attribution.QueryIndexesResponse>;
  readonly indexesBySnapshot: Ask<
    attribution.QueryIndexesBySnapshotRequest,
    attribution.QueryIndexesBySnapshotResponse
  >;
  readonly requests: Ask<attribution.QueryRequestsRequest, attribution.QueryRequestsResponse>;
  readonly modelCard: Ask<attribution.QueryModelCardRequest, attribution.QueryModelCardResponse>;
  readonly modelCards: Ask<attribution.QueryModelCardsRequest, attribution.QueryModelCardsResponse>;
  readonly modelCardsByModel: Ask<
    attribution.QueryModelCardsByModelRequest,
    attribution.QueryModelCardsByModelResponse
  >;
}

/** `openledger.payments.v1.Query`. */
export interface PaymentQueries {
  readonly params: Ask<payments.QueryParamsRequest, payments.QueryParamsResponse>;
  readonly receipt: Ask<payments.QueryReceiptRequest, payments.QueryReceiptResponse>;
  readonly receiptsByPayer: Ask<payments.QueryReceiptsByPayerRequest, payments.QueryReceiptsByPayerResponse>;
  readonly receiptsByContributor: Ask<
    payments.QueryReceiptsByContributorRequest,
    payments.QueryReceiptsByContributorResponse
  >;
  readonly explain: Ask<payments.QueryExplainRequest, payments.QueryExplainResponse>;
  readonly totals: Ask<payments.QueryTotalsRequest, payments.QueryTotalsResponse>;
  readonly escrow: Ask<payments.QueryEscrowRequest, payments.QueryEscrowResponse>;
  readonly escrows: Ask<payments.QueryEscrowsRequest, payments.QueryEscrowsResponse>;
  readonly authorization: Ask<payments.QueryAuthorizationRequest, payments.QueryAuthorizationResponse>;
  readonly hold: Ask<payments.QueryHoldRequest, payments.QueryHoldResponse>;
  readonly holdsByPayer: Ask<payments.QueryHoldsByPayerRequest, payments.QueryHoldsByPayerResponse>;
  readonly holdsByPayee: Ask<payments.QueryHoldsByPayeeRequest, payments.QueryHoldsByPayeeResponse>;
}

/** `openledger.channels.v1.Query`. */
export interface ChannelQueries {
  readonly params: Ask<channels.QueryParamsRequest, channels.QueryParamsResponse>;
  readonly channel: Ask<channels.QueryChannelRequest, channels.QueryChannelResponse>;
  readonly lanes: Ask<channels.QueryLanesRequest, channels.QueryLanesResponse>;
  readonly channelsByPayer: Ask<channels.QueryChannelsByPayerRequest, channels.QueryChannelsByPayerResponse>;
  readonly channelsByReceiver: Ask<
    channels.QueryChannelsByReceiverRequest,
    channels.QueryChannelsByReceiverResponse
  >;
}

/** `openledger.pools.v1.Query`. */
export interface PoolQueries {
  readonly params: Ask<pools.QueryParamsRequest, pools.QueryParamsResponse>;
  readonly pool: Ask<pools.QueryPoolRequest, pools.QueryPoolResponse>;
  readonly pools: Ask<pools.QueryPoolsRequest, pools.QueryPoolsResponse>;
  readonly node: Ask<pools.QueryNodeRequest, pools.QueryNodeResponse>;
  readonly slot: Ask<pools.QuerySlotRequest, pools.QuerySlotResponse>;
  readonly slotsByOwner: Ask<pools.QuerySlotsByOwnerRequest, pools.QuerySlotsByOwnerResponse>;
  readonly changes: Ask<pools.QueryChangesRequest, pools.QueryChangesResponse>;
  readonly credits: Ask<pools.QueryCreditsRequest, pools.QueryCreditsResponse>;
}

/** `openledger.settlement.v1.Query`. */
export interface SettlementQueries {
  readonly params: Ask<settlement.QueryParamsRequest, settlement.QueryParamsResponse>;
  readonly gateway: Ask<settlement.QueryGatewayRequest, settlement.QueryGatewayResponse>;
  readonly epoch: Ask<settlement.QueryEpochRequest, settlement.QueryEpochResponse>;
  readonly epochs: Ask<settlement.QueryEpochsRequest, settlement.QueryEpochsResponse>;
  readonly lanes: Ask<settlement.QueryLanesRequest, settlement.QueryLanesResponse>;
  readonly rounds: Ask<settlement.QueryRoundsRequest, settlement.QueryRoundsResponse>;
  readonly request: Ask<settlement.QueryRequestRequest, settlement.QueryRequestResponse>;
  readonly requests: Ask<settlement.QueryRequestsRequest, settlement.QueryRequestsResponse>;
  readonly terms: Ask<settlement.QueryTermsRequest, settlement.QueryTermsResponse>;
}

/** For `QueryClient.withExtensions(comet, setupOpenLedgerExtension)`. */
export function setupOpenLedgerExtension(base: QueryClient): { readonly openledger: OpenLedgerExtension } {
  return {
    openledger: {
      datanet: datanetQueries(base),
      models: modelQueries(base),
      attribution: attributionQueries(base),
      payments: paymentQueries(base),
      channels: channelQueries(base),
      pools: poolQueries(base),
      settlement: settlementQueries(base),
    },
  };
}

function datanetQueries(base: QueryClient): DatanetQueries {
  const ask = asker(base, datanet.QueryService.name);
  const d = datanet;
  return {
    params: ask('Params', d.QueryParamsRequest, d.QueryParamsResponse),
    datanet: ask('Datanet', d.QueryDatanetRequest, d.QueryDatanetResponse),
    datanetBySlug: ask('DatanetBySlug', d.QueryDatanetBySlugRequest, d.QueryDatanetBySlugResponse),
    datanets: ask('Datanets', d.QueryDatanetsRequest, d.QueryDatanetsResponse),
    allowList: ask('AllowList', d.QueryAllowListRequest, d.QueryAllowListResponse),
    contribution: ask('Contribution', d.QueryContributionRequest, d.QueryContributionResponse),
    contributionsByDatanet: ask(
      'ContributionsByDatanet',
      d.QueryContributionsByDatanetRequest,
      d.QueryContributionsByDatanetResponse,
    ),
    contributionsByContributor: ask(
      'ContributionsByContributor',
      d.QueryContributionsByContributorRequest,
      d.QueryContributionsByContributorResponse,
    ),
    snapshot: ask('Snapshot', d.QuerySnapshotRequest, d.QuerySnapshotResponse),
    snapshotsByDatanet: ask(
      'SnapshotsByDatanet',
      d.QuerySnapshotsByDatanetRequest,
      d.QuerySnapshotsByDatanetResponse,
    ),
    snapshotProof: ask('SnapshotProof', d.QuerySnapshotProofRequest, d.QuerySnapshotProofResponse),
  };
}

function modelQueries(base: QueryClient): ModelQueries {
  const ask = asker(base, models.QueryService.name);
  const m = models;
  return {
    params: ask('Params', m.QueryParamsRequest, m.QueryParamsResponse),
    model: ask('Model', m.QueryModelRequest, m.QueryModelResponse),
    models: ask('Models', m.QueryModelsRequest, m.QueryModelsResponse),
    modelsByOwner: ask('ModelsByOwner', m.QueryModelsByOwnerRequest, m.QueryModelsByOwnerResponse),
    modelsBySnapshot: ask(
      'ModelsBySnapshot',
      m.QueryModelsBySnapshotRequest,
      m.QueryModelsBySnapshotResponse,
    ),
  };
}

function attributionQueries(base: QueryClient): AttributionQueries {
  const ask = asker(base, attribution.QueryService.name);
  const a = attribution;
  return {
    params: ask('Params', a.QueryParamsRequest, a.QueryParamsResponse),
    paramsOfVersion: ask('ParamsOfVersion', a.QueryParamsOfVersionRequest, a.QueryParamsOfVersionResponse),
    claim: ask('Claim', a.QueryClaimRequest, a.QueryClaimResponse),
    claimsByContribution: ask(
      'ClaimsByContribution',
      a.QueryClaimsByContributionRequest,
      a.QueryClaimsByContributionResponse,
    ),
    openClaims: ask('OpenClaims', a.QueryOpenClaimsRequest, a.QueryOpenClaimsResponse),
    shard: ask('Shard', a.QueryShardRequest, a.QueryShardResponse),
    shards: ask('Shards', a.QueryShardsRequest, a.QueryShardsResponse),
    index: ask('Index', a.QueryIndexRequest, a.QueryIndexResponse),
    indexes: ask('Indexes', a.QueryIndexesRequest, a.QueryIndexesResponse),
    indexesBySnapshot: ask(
      'IndexesBySnapshot',
      a.QueryIndexesBySnapshotRequest,
      a.QueryIndexesBySnapshotResponse,
    ),
    requests: ask('Requests', a.QueryRequestsRequest, a.QueryRequestsResponse),
    modelCard: ask('ModelCard', a.QueryModelCardRequest, a.QueryModelCardResponse),
    modelCards: ask('ModelCards', a.QueryModelCardsRequest, a.QueryModelCardsResponse),
    modelCardsByModel: ask(
      'ModelCardsByModel',
      a.QueryModelCardsByModelRequest,
      a.QueryModelCardsByModelResponse,
    ),
  };
}

function channelQueries(base: QueryClient): ChannelQueries {
  const ask = asker(base, channels.QueryService.name);
  const c = channels;
  return {
    params: ask('Params', c.QueryParamsRequest, c.QueryParamsResponse),
    channel: ask('Channel', c.QueryChannelRequest, c.QueryChannelResponse),
    lanes: ask('Lanes', c.QueryLanesRequest, c.QueryLanesResponse),
    channelsByPayer: ask('ChannelsByPayer', c.QueryChannelsByPayerRequest, c.QueryChannelsByPayerResponse),
    channelsByReceiver: ask(
      'ChannelsByReceiver',
      c.QueryChannelsByReceiverRequest,
      c.QueryChannelsByReceiverResponse,
    ),
  };
}

function poolQueries(base: QueryClient): PoolQueries {
  const ask = asker(base, pools.QueryService.name);
  const p = pools;
  return {
    params: ask('Params', p.QueryParamsRequest, p.QueryParamsResponse),
    pool: ask('Pool', p.QueryPoolRequest, p.QueryPoolResponse),
    pools: ask('Pools', p.QueryPoolsRequest, p.QueryPoolsResponse),
    node: ask('Node', p.QueryNodeRequest, p.QueryNodeResponse),
    slot: ask('Slot', p.QuerySlotRequest, p.QuerySlotResponse),
    slotsByOwner: ask('SlotsByOwner', p.QuerySlotsByOwnerRequest, p.QuerySlotsByOwnerResponse),
    changes: ask('Changes', p.QueryChangesRequest, p.QueryChangesResponse),
    credits: ask('Credits', p.QueryCreditsRequest, p.QueryCreditsResponse),
  };
}

function settlementQueries(base: QueryClient): SettlementQueries {
  const ask = asker(base, settlement.QueryService.name);
  const s = settlement;
  return {
    params: ask('Params', s.QueryParamsRequest, s.QueryParamsResponse),
    gateway: ask('Gateway', s.QueryGatewayRequest, s.QueryGatewayResponse),
    epoch: ask('Epoch', s.QueryEpochRequest, s.QueryEpochResponse),
    epochs: ask('Epochs', s.QueryEpochsRequest, s.QueryEpochsResponse),
    lanes: ask('Lanes', s.QueryLanesRequest, s.QueryLanesResponse),
    rounds: ask('Rounds', s.QueryRoundsRequest, s.QueryRoundsResponse),
    request: ask('Request', s.QueryRequestRequest, s.QueryRequestResponse),
    requests: ask('Requests', s.QueryRequestsRequest, s.QueryRequestsResponse),
    terms: ask('Terms', s.QueryTermsRequest, s.QueryTermsResponse),
  };
}

function paymentQueries(base: QueryClient): PaymentQueries {
  const ask = asker(base, payments.QueryService.name);
  const p = payments;
  return {
    params: ask('Params', p.QueryParamsRequest, p.QueryParamsResponse),
    receipt: ask('Receipt', p.QueryReceiptRequest, p.QueryReceiptResponse),
    receiptsByPayer: ask('ReceiptsByPayer', p.QueryReceiptsByPayerRequest, p.QueryReceiptsByPayerResponse),
    receiptsByContributor: ask(
      'ReceiptsByContributor',
      p.QueryReceiptsByContributorRequest,
      p.QueryReceiptsByContributorResponse,
    ),
    explain: ask('Explain', p.QueryExplainRequest, p.QueryExplainResponse),
    totals: ask('Totals', p.QueryTotalsRequest, p.QueryTotalsResponse),
    escrow: ask('Escrow', p.QueryEscrowRequest, p.QueryEscrowResponse),
    escrows: ask('Escrows', p.QueryEscrowsRequest, p.QueryEscrowsResponse),
    authorization: ask('Authorization', p.QueryAuthorizationRequest, p.QueryAuthorizationResponse),
    hold: ask('Hold', p.QueryHoldRequest, p.QueryHoldResponse),
    holdsByPayer: ask('HoldsByPayer', p.QueryHoldsByPayerRequest, p.QueryHoldsByPayerResponse),
    holdsByPayee: ask('HoldsByPayee', p.QueryHoldsByPayeeRequest, p.QueryHoldsByPayeeResponse),
  };
}

type Asker = <Q, A>(method: string, request: MessageType<Q>, response: MessageType<A>) => Ask<Q, A>;

function asker(base: QueryClient, service: string): Asker {
  return (method, request, response) => async (partial) => {
    const answer = await base.queryAbci(`/${service}/${method}`, request.encode(request.create(partial)));
    return response.decode(answer.value);
  };
}
