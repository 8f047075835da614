/** Who settles epochs. */
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Gateway } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { gatewayRegistered, gatewayUpdated } from './events.ts';

const KEY_BYTES = 32;
const ENDPOINT = /^https?:\/\/[!-~]+$/;

/** Form of a gateway. @throws StateError (settlement 2) */
export function validateGateway({ receiptKey, endpoint }: Pick<Gateway, 'receiptKey' | 'endpoint'>): void {
  if (receiptKey.length !== KEY_BYTES)
    refuseAs('malformed', `receipt_key has ${receiptKey.length} bytes, an ed25519 key has ${KEY_BYTES}`);
  validateEndpoint(endpoint);
}

/** @throws StateError (settlement 2) when it is no address of the web */
export function validateEndpoint(endpoint: string): void {
  if (!ENDPOINT.test(endpoint)) refuseAs('malformed', 'endpoint must begin with http:// or https://');
}

/** @throws StateError (settlement 2, 4) */
export function checkRegistration(k: SettlementCore, context: ReadContext, gateway: Gateway): void {
  if (k.state.gateways.has(context, k.addresses.toBytes(gateway.address)))
    refuseAs('gateway-exists', `${gateway.address} is a gateway; its key is for good`);
  checkEndpoint(k, context, gateway.endpoint);
}

/** The gateway with another endpoint. @throws StateError (settlement 2, 3) */
export function checkUpdate(
  k: SettlementCore,
  context: ReadContext,
  { address, endpoint }: Pick<Gateway, 'address' | 'endpoint'>,
): Gateway {
  checkEndpoint(k, context, endpoint);
  return { ...requireGateway(k, context, address), endpoint };
}

function checkEndpoint(k: SettlementCore, context: ReadContext, endpoint: string): void {
  const { endpointBytesMax } = paramsOf(k, context);
  if (endpoint.length > endpointBytesMax)
    refuseAs('malformed', `endpoint has ${endpoint.length} bytes, at most ${endpointBytesMax} are allowed`);
}

/** Writes a new gateway. */
export function registerGateway(k: SettlementCore, context: Context, gateway: Gateway): void {
  k.state.gateways.set(context, k.addresses.toBytes(gateway.address), gateway);
  context.emit(gatewayRegistered(gateway));
}

/** Writes a gateway that serves somewhere else. */
export function updateGateway(k: SettlementCore, context: Context, gateway: Gateway): void {
  k.state.gateways.set(context, k.addresses.toBytes(gateway.address), gateway);
  context.emit(gatewayUpdated(gateway));
}

/** @throws StateError (settlement 3) */
export function requireGateway(k: SettlementCore, context: ReadContext, address: string): Gateway {
  return (
    k.state.gateways.get(context, k.addresses.toBytes(address)) ??
    refuseAs('unknown-gateway', `${address} is not registered; send MsgRegisterGateway`)
  );
}
