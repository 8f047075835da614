import type { ErrorKind } from '../../framework/errors.ts';

type ErrorName =
  | 'invalidChannel'
  | 'idUsed'
  | 'unknownChannel'
  | 'notAParty'
  | 'invalidVoucher'
  | 'wrongSignature'
  | 'wrongPreimage'
  | 'claimAboveVoucher'
  | 'beingWithdrawn'
  | 'withdrawalNotDue'
  | 'rotationUnderWay'
  | 'noRouter'
  | 'invalidAgreement'
  | 'tooManyRows';

/** Failures of channels. Numbers are never reused. */
export const channelErrors: Readonly<Record<ErrorName, ErrorKind>> = {
  invalidChannel: kind(2, 'invalid channel'),
  idUsed: kind(3, 'channel id was used before'),
  unknownChannel: kind(4, 'unknown channel'),
  notAParty: kind(5, 'not a party of the channel'),
  invalidVoucher: kind(6, 'invalid voucher'),
  wrongSignature: kind(7, 'wrong signature'),
  wrongPreimage: kind(8, 'wrong link of the hash chain'),
  claimAboveVoucher: kind(9, 'claim is above the voucher'),
  beingWithdrawn: kind(10, 'channel is being withdrawn'),
  withdrawalNotDue: kind(11, 'withdrawal is not due'),
  rotationUnderWay: kind(12, 'key was rotated lately'),
  noRouter: kind(13, 'there is no revenue router'),
  invalidAgreement: kind(14, 'invalid agreement to close'),
  tooManyRows: kind(15, 'too many rows'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'channels', code, description };
}
