import type { Address } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { SettlementPorts } from './ports.ts';
import type { SettlementState } from './state.ts';

/** What the parts of the module share. */
export interface SettlementCore extends SettlementPorts {
  readonly state: SettlementState;
  /** Of this module: holds what waits, and bonds. */
  readonly account: Address;
}

/** The parameters in use. */
export function paramsOf({ state }: Pick<SettlementCore, 'state'>, context: ReadContext): Params {
  return state.params.get(context) ?? DEFAULT_PARAMS;
}
