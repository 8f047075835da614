import { type AddressCodec, moduleAddress } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { QueryError } from '../../framework/errors.ts';
import { paginate, paginateIndex } from '../../framework/pagination.ts';
import { queriedAddress, query, type QueryRoute, queryService } from '../../framework/query.ts';
import { AuthorizationState } from '../../proto/gen/openledger/payments/v1/authorization.ts';
import type { Escrow, Hold, Receipt, Totals } from '../../proto/gen/openledger/payments/v1/payments.ts';
import * as wire from '../../proto/gen/openledger/payments/v1/query.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import type { ModelView } from '../models/types.ts';
import type { PoolPayer } from '../pools/types.ts';
import { reasonsOf } from './explain.ts';
import type { Authorizations } from './authorizations.ts';
import type { Holds } from './holds.ts';
import type { Payments } from './keeper.ts';
import { contributorReceiptKey, type PaymentState } from './state.ts';

/** What the queries read. */
export interface PaymentQueryPorts {
  readonly payments: Payments;
  readonly state: PaymentState;
  readonly addresses: AddressCodec;
  readonly models: ModelView;
  readonly attribution: AttributionVerifier;
  readonly authorizations: Authorizations;
  readonly holds: Holds;
  readonly pools: PoolPayer;
}

type Methods = Parameters<typeof queryService>[1];

/** `openledger.payments.v1.Query`. */
export function paymentQueries(ports: PaymentQueryPorts): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    ...receiptMethods(ports),
    ...moneyMethods(ports),
    ...directMethods(ports),
  });
}

function receiptMethods(ports: PaymentQueryPorts): Methods {
  const { payments, state, addresses } = ports;
  const read =
    (context: ReadContext) =>
    (id: bigint): Receipt =>
      state.receipts.require(context, id);
  return {
    Receipt: query(wire.QueryReceiptRequest, wire.QueryReceiptResponse, (context, { receiptId }) => ({
      receipt: payments.receipt(context, receiptId) ?? notFound(`receipt ${receiptId}`),
    })),
    ReceiptsByPayer: query(
      wire.QueryReceiptsByPayerRequest,
      wire.QueryReceiptsByPayerResponse,
      (context, { payer, pagination: request }) => {
        const of = queriedAddress(addresses, payer);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.byPayer, options);
        return { receipts: items, pagination };
      },
    ),
    ReceiptsByContributor: query(
      wire.QueryReceiptsByContributorRequest,
      wire.QueryReceiptsByContributorResponse,
      (context, { contributor, pagination: request }) => {
        const index = { entries: state.byContributor.map, keyCodec: contributorReceiptKey };
        const of = queriedAddress(addresses, contributor);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, index, options);
        return { receipts: items, pagination };
      },
    ),
    Explain: query(wire.QueryExplainRequest, wire.QueryExplainResponse, (context, { receiptId }) => {
      const receipt = payments.receipt(context, receiptId) ?? notFound(`receipt ${receiptId}`);
      const model = ports.models.model(context, receipt.modelId) ?? notFound(`model ${receipt.modelId}`);
      const claim = ports.attribution.claim(context, receipt.claimId);
      const poolsAccount = ports.addresses.toText(moduleAddress(ports.pools.poolsAccount));
      const reasons = reasonsOf({ receipt, model, claim, poolsAccount });
      return { receipt, model, claim, reasons };
    }),
  };
}

function moneyMethods({ payments, state }: PaymentQueryPorts): Methods {
  return {
    Params: query(wire.QueryParamsRequest, wire.QueryParamsResponse, (context) => ({
      params: payments.params(context),
    })),
    Totals: query(wire.QueryTotalsRequest, wire.QueryTotalsResponse, (context, { pagination: request }) => {
      const transform = (_: string, totals: Totals): Totals => totals;
      const { items, pagination } = paginate(context, state.totals, { request, transform });
      return { totals: items, pagination };
    }),
    Escrow: query(wire.QueryEscrowRequest, wire.QueryEscrowResponse, (context, { claimId }) => ({
      escrow: state.escrows.get(context, claimId) ?? notFound(`escrow of claim ${claimId}`),
    })),
    Escrows: query(
      wire.QueryEscrowsRequest,
      wire.QueryEscrowsResponse,
      (context, { pagination: request }) => {
        const transform = (_: bigint, escrow: Escrow): Escrow => escrow;
        const { items, pagination } = paginate(context, state.escrows, { request, transform });
        return { escrows: items, pagination };
      },
    ),
  };
}

function directMethods({ payments, authorizations, holds, state, addresses }: PaymentQueryPorts): Methods {
  const read =
    (context: ReadContext) =>
    (id: bigint): Hold =>
      state.holds.require(context, id);
  return {
    Authorization: query(
      wire.QueryAuthorizationRequest,
      wire.QueryAuthorizationResponse,
      (context, { from: text, nonce }) => {
        const from = queriedAddress(addresses, text);
        const spent = authorizations.find(context, from, nonce);
        return {
          state: spent?.state ?? AuthorizationState.AUTHORIZATION_STATE_UNSPECIFIED,
          validBefore: spent?.validBefore ?? 0n,
          receiptId: payments.receiptOf(context, from, nonce) ?? 0n,
        };
      },
    ),
    Hold: query(wire.QueryHoldRequest, wire.QueryHoldResponse, (context, { holdId }) => ({
      hold: holds.find(context, holdId) ?? notFound(`hold ${holdId}`),
    })),
    HoldsByPayer: query(
      wire.QueryHoldsByPayerRequest,
      wire.QueryHoldsByPayerResponse,
      (context, { payer, pagination: request }) => {
        const of = queriedAddress(addresses, payer);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.holdsByPayer, options);
        return { holds: items, pagination };
      },
    ),
    HoldsByPayee: query(
      wire.QueryHoldsByPayeeRequest,
      wire.QueryHoldsByPayeeResponse,
      (context, { payee, pagination: request }) => {
        const of = queriedAddress(addresses, payee);
        const options = { request, of, read: read(context) };
        const { items, pagination } = paginateIndex(context, state.holdsByPayee, options);
        return { holds: items, pagination };
      },
    ),
  };
}

function notFound(what: string): never {
  throw new QueryError('NotFound', `there is no ${what}`);
}
