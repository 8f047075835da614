import type { ErrorKind } from '../../framework/errors.ts';

/** Names of the failures. */
type PaymentErrorName =
  | 'invalidPayment'
  | 'unknownModel'
  | 'wrongDenom'
  | 'feeAboveMax'
  | 'requestPaid'
  | 'tooManyTokens'
  | 'invalidAuthorization'
  | 'otherChain'
  | 'notYetValid'
  | 'authorizationExpired'
  | 'windowTooLong'
  | 'authorizationUsed'
  | 'authorizationCancelled'
  | 'wrongSigner'
  | 'wrongSignature'
  | 'notPayee'
  | 'invalidHold'
  | 'unknownHold'
  | 'holdExpired'
  | 'holdNotExpired'
  | 'requestHeld'
  | 'unknownReceipt'
  | 'notRefunder'
  | 'refundAboveFee';

/** Failures of payments; those of the claim in a payment are attribution's. Numbers are never reused. */
export const paymentErrors: Readonly<Record<PaymentErrorName, ErrorKind>> = {
  invalidPayment: kind(2, 'invalid payment'),
  unknownModel: kind(3, 'unknown model'),
  wrongDenom: kind(4, 'wrong denomination'),
  feeAboveMax: kind(5, 'fee is above max_fee'),
  requestPaid: kind(6, 'request was paid before'),
  tooManyTokens: kind(7, 'too many tokens'),
  invalidAuthorization: kind(8, 'invalid authorization'),
  otherChain: kind(9, 'authorization is for another chain'),
  notYetValid: kind(10, 'authorization is not valid yet'),
  authorizationExpired: kind(11, 'authorization has expired'),
  windowTooLong: kind(12, 'authorization is valid for too long'),
  authorizationUsed: kind(13, 'authorization was used before'),
  authorizationCancelled: kind(14, 'authorization was cancelled'),
  wrongSigner: kind(15, 'key is not that of the account'),
  wrongSignature: kind(16, 'signature is not of this authorization'),
  notPayee: kind(17, 'not the payee'),
  invalidHold: kind(18, 'invalid hold'),
  unknownHold: kind(19, 'unknown hold'),
  holdExpired: kind(20, 'hold has expired'),
  holdNotExpired: kind(21, 'hold has not expired'),
  requestHeld: kind(22, 'request is held'),
  unknownReceipt: kind(23, 'unknown receipt'),
  notRefunder: kind(24, 'only the payee or the owner of the model refunds'),
  refundAboveFee: kind(25, 'refund is above what is left of the fee'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'payments', code, description };
}
