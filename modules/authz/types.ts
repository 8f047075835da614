import type { Address } from '../../framework/address.ts';

/** Who authorizes whom. */
export interface Parties {
  readonly granter: Address;
  readonly grantee: Address;
}

/** An authorization's place: there is one for a granter, a grantee and a type of message. */
export interface GrantPlace extends Parties {
  /** `/cosmos.bank.v1beta1.MsgSend`. */
  readonly typeUrl: string;
}
