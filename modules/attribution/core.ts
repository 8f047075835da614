import type { Address } from '../../framework/address.ts';
import type { AttributionPorts } from './ports.ts';
import type { AttributionState } from './state.ts';
import type { ClaimHookList } from './types.ts';

/** What the parts of the module share. */
export interface AttributionCore extends AttributionPorts {
  readonly state: AttributionState;
  /** Of this module: holds all bonds. */
  readonly account: Address;
  /** Whom decided claims are told. */
  readonly hooks: ClaimHookList;
}
