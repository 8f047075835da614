import { type ErrorKind, StateError } from '../../framework/errors.ts';

/** Names of the failures of settlement. */
export type SettlementErrorName =
  | 'malformed'
  | 'unknown-gateway'
  | 'gateway-exists'
  | 'unknown-round'
  | 'not-owner'
  | 'round-settled'
  | 'does-not-add-up'
  | 'wrong-bond'
  | 'too-many-rows'
  | 'unknown-place'
  | 'unknown-epoch'
  | 'window-over'
  | 'not-convicted'
  | 'not-final'
  | 'already-claimed'
  | 'wrong-opening'
  | 'too-much'
  | 'malformed-request'
  | 'too-many-requests'
  | 'already-requested'
  | 'unknown-request'
  | 'request-closed'
  | 'wrong-answer';

/** Failures of settlement: one for each way in which something is wrong. Numbers are never reused. */
export const settlementErrors: Readonly<Record<SettlementErrorName, ErrorKind>> = {
  malformed: kind(2, 'malformed message'),
  'unknown-gateway': kind(3, 'unknown gateway'),
  'gateway-exists': kind(4, 'gateway is registered'),
  'unknown-round': kind(5, 'unknown round'),
  'not-owner': kind(6, 'round is of another gateway'),
  'round-settled': kind(7, 'round has an epoch'),
  'does-not-add-up': kind(8, 'epoch does not add up'),
  'wrong-bond': kind(9, 'wrong bond'),
  'too-many-rows': kind(10, 'too many rows'),
  'unknown-place': kind(11, 'unknown place'),
  'unknown-epoch': kind(12, 'unknown epoch'),
  'window-over': kind(13, 'epoch can no longer be disputed'),
  'not-convicted': kind(14, 'fraud does not convict'),
  'not-final': kind(15, 'epoch is not final'),
  'already-claimed': kind(16, 'entitlement was claimed'),
  'wrong-opening': kind(17, 'not an entitlement of the epoch'),
  'too-much': kind(18, 'more than a round can hold'),
  'malformed-request': kind(19, 'no such piece of the epoch'),
  'too-many-requests': kind(20, 'too many open requests'),
  'already-requested': kind(21, 'piece is requested already'),
  'unknown-request': kind(22, 'unknown request'),
  'request-closed': kind(23, 'request can no longer be answered'),
  'wrong-answer': kind(24, 'not what the request is for'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'settlement', code, description };
}

/** Refuses with one of them. @throws StateError */
export function refuseAs(name: SettlementErrorName, detail: string): never {
  throw new StateError(settlementErrors[name], detail);
}
