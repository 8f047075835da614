import type {
  AllowedMsgAllowance,
  BasicAllowance,
  PeriodicAllowance,
} from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';

/** What one account allows another to spend on fees. */
export type Allowance =
  | { readonly kind: 'basic'; readonly value: BasicAllowance }
  | { readonly kind: 'periodic'; readonly value: PeriodicAllowance }
  | {
      readonly kind: 'allowed-messages';
      readonly value: AllowedMsgAllowance;
      /** The one that it narrows to certain messages. */
      readonly inner: Allowance;
    };
