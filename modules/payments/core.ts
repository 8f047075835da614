import type { AddressCodec } from '../../framework/address.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import { Authorizations } from './authorizations.ts';
import { Holds } from './holds.ts';
import { Payments } from './keeper.ts';
import type { PaymentPorts } from './ports.ts';
import type { RefundPorts } from './refunds.ts';
import { type PaymentState, paymentState } from './state.ts';
import { UserTransfers } from './user-transfers.ts';

/** Everything that messages, genesis and hooks of payments work with. */
export interface PaymentCore {
  readonly state: PaymentState;
  readonly addresses: AddressCodec;
  readonly attribution: AttributionVerifier;
  readonly payments: Payments;
  readonly authorizations: Authorizations;
  readonly holds: Holds;
  readonly transfers: UserTransfers;
  readonly refunds: RefundPorts;
}

/** Puts the parts of the module together. */
export function createPaymentCore(ports: PaymentPorts): PaymentCore {
  const { addresses, bank, attribution, models, statements } = ports;
  const state = paymentState(addresses);
  const payments = new Payments(state, ports);
  const transfers = new UserTransfers(bank, addresses);
  const params = payments.params.bind(payments);
  return {
    state,
    addresses,
    attribution,
    payments,
    authorizations: new Authorizations(state, { addresses, statements, params }),
    holds: new Holds(state, { addresses, bank, payments }),
    transfers,
    refunds: { payments, models, transfers, addresses },
  };
}
