import type { Module } from '../../framework/module.ts';
import { paymentGenesis } from './genesis.ts';
import { paymentInvariants } from './invariants.ts';
import { Payments } from './keeper.ts';
import { paymentMessages } from './messages.ts';
import type { PaymentPorts } from './ports.ts';
import { paymentQueries } from './queries.ts';
import { paymentState, STORE_NAME } from './state.ts';

/** The module and its keeper. */
export interface PaymentModule {
  readonly module: Module;
  readonly keeper: Payments;
}

/** Payments for inferences. Needs a module account of its name. */
export function createPaymentModule(ports: PaymentPorts): PaymentModule {
  const { addresses, bank, models, attribution } = ports;
  const state = paymentState(addresses);
  const payments = new Payments(state, ports);
  const module: Module = {
    name: 'payments',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: paymentMessages({ payments, attribution, state, addresses }),
    queries: paymentQueries({ payments, state, addresses, models, attribution }),
    genesis: paymentGenesis({ payments, state, addresses }),
    invariants: paymentInvariants({ payments, state, bank }),
  };
  return { module, keeper: payments };
}
