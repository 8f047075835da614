import type { AddressCodec } from '../../framework/address.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/payments/v1/genesis.ts';
import { sumOfParts } from './fee.ts';
import type { PaymentCore } from './core.ts';
import { readDirect, requestName } from './direct-genesis.ts';
import { DEFAULT_PARAMS, paramsFromJson } from './params.ts';
import { refundedOf, splitFromWire } from './receipts.ts';

/** Genesis of payments: `openledger.payments.v1.GenesisState`. Totals and indexes are rebuilt. */
export function paymentGenesis(core: PaymentCore): GenesisHandler {
  const { payments, state, addresses, holds, authorizations } = core;
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create({ params: DEFAULT_PARAMS })),
    validate: (json) => void readGenesis(json, addresses),
    init(context, json) {
      const genesis = readGenesis(json, addresses);
      state.params.set(context, genesis.params);
      for (const receipt of genesis.receipts) payments.insert(context, receipt);
      state.sequence.set(context, genesis.receipts.at(-1)?.id ?? 0n);
      for (const hold of genesis.holds) holds.insert(context, hold);
      state.holdSequence.set(context, genesis.holdSequence);
      for (const spent of genesis.spentNonces) authorizations.insert(context, spent);
      return [];
    },
    export: (context) =>
      messageToJson(GenesisState, {
        params: payments.params(context),
        receipts: [...state.receipts.iterate(context)].map(([, receipt]) => receipt),
        holds: [...state.holds.iterate(context)].map(([, hold]) => hold),
        holdSequence: state.holdSequence.peek(context),
        spentNonces: [...state.nonces.iterate(context)].map(([, spent]) => spent),
      }),
  };
}

function readGenesis(json: JsonReader, addresses: AddressCodec): GenesisState {
  const params = paramsFromJson(json.member('params'));
  const genesis = { ...messageFromJson(GenesisState, json), params };
  const receipts = json.member('receipts').elements();
  const requests = new Set<string>();
  let previous = 0n;
  for (const [i, receipt] of genesis.receipts.entries()) {
    const place = receipts[i] ?? json;
    if (receipt.id <= previous) place.fail(`ids must ascend from 1, ${receipt.id} follows ${previous}`);
    previous = receipt.id;
    place.attempt(() => {
      const request = requestName(receipt, addresses);
      if (requests.has(request)) place.member('request_hash').fail('its payer has a receipt for it already');
      requests.add(request);
      for (const { recipient } of receipt.payouts) addresses.toBytes(recipient);
      if (receipt.payee !== '') addresses.toBytes(receipt.payee);
      if (sumOfParts(splitFromWire(receipt.split)) !== BigInt(receipt.fee.amount))
        place.member('split').fail('does not add up to the fee');
      if (refundedOf(receipt) < 0n || refundedOf(receipt) > BigInt(receipt.fee.amount))
        place.member('refunded').fail('is no part of the fee');
    });
  }
  readDirect(genesis, json, addresses);
  return genesis;
}
