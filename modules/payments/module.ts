import type { Module } from '../../framework/module.ts';
import { createPaymentCore } from './core.ts';
import { endBlock } from './end-block.ts';
import { paymentGenesis } from './genesis.ts';
import { paymentInvariants } from './invariants.ts';
import type { Payments } from './keeper.ts';
import { paymentMessages } from './messages.ts';
import { createModelMoney } from './model-money.ts';
import type { PaymentPorts } from './ports.ts';
import { paymentQueries } from './queries.ts';
import { STORE_NAME } from './state.ts';
import type { ModelMoney } from './types.ts';

/** The module and its keeper. */
export interface PaymentModule {
  readonly module: Module;
  readonly keeper: Payments;
  /** For settlement. */
  readonly modelMoney: ModelMoney;
}

/** Payments for inferences. Needs a module account of its name. */
export function createPaymentModule(ports: PaymentPorts): PaymentModule {
  const { bank, models, pools } = ports;
  const core = createPaymentCore(ports);
  const module: Module = {
    name: 'payments',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: paymentMessages(core),
    queries: paymentQueries({ ...core, models, pools }),
    genesis: paymentGenesis(core),
    endBlock(context) {
      endBlock(core, context);
      return [];
    },
    invariants: paymentInvariants({ ...core, bank }),
  };
  return { module, keeper: core.payments, modelMoney: createModelMoney(ports) };
}
