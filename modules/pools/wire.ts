/** What the state holds as integers, on the wire as decimal text. */
import type { ValueCodec } from '../../framework/values.ts';
import * as wire from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { Debt, NodeBalance, PoolTotals } from './arithmetic.ts';

const INTEGER = /^(?:0|[1-9][0-9]*)$/;

/** @throws RangeError when the text is no integer of at least 0 */
export function integerOf(text: string): bigint {
  if (!INTEGER.test(text)) throw new RangeError(`'${text}' is not a whole number`);
  return BigInt(text);
}

/** For the wire. */
export function balanceToWire({ acc, rem }: NodeBalance): wire.NodeBalance {
  return { acc: acc.toString(), rem: rem.toString() };
}

/** @throws RangeError when a number is none */
export function balanceOfWire({ acc, rem }: wire.NodeBalance): NodeBalance {
  return { acc: integerOf(acc), rem: integerOf(rem) };
}

/** For the wire. */
export function debtToWire({ seen, owed, paidCredit }: Debt): wire.Debt {
  return { seen: seen.toString(), owed: owed.toString(), paidCredit };
}

/** @throws RangeError when a number is none */
export function debtOfWire({ seen, owed, paidCredit }: wire.Debt): Debt {
  return { seen: integerOf(seen), owed: integerOf(owed), paidCredit };
}

/** For the wire. */
export function totalsToWire({ paid, out, rem }: PoolTotals): wire.PoolTotals {
  return { paid: paid.toString(), out: out.toString(), rem: rem.toString() };
}

/** @throws RangeError when a number is none */
export function totalsOfWire({ paid, out, rem }: wire.PoolTotals): PoolTotals {
  return { paid: integerOf(paid), out: integerOf(out), rem: integerOf(rem) };
}

/** In the store. */
export const balanceValue: ValueCodec<NodeBalance> = {
  encode: (balance) => wire.NodeBalance.encode(balanceToWire(balance)),
  decode: (bytes) => balanceOfWire(wire.NodeBalance.decode(bytes)),
};

/** In the store. */
export const debtValue: ValueCodec<Debt> = {
  encode: (debt) => wire.Debt.encode(debtToWire(debt)),
  decode: (bytes) => debtOfWire(wire.Debt.decode(bytes)),
};

/** In the store. */
export const totalsValue: ValueCodec<PoolTotals> = {
  encode: (totals) => wire.PoolTotals.encode(totalsToWire(totals)),
  decode: (bytes) => totalsOfWire(wire.PoolTotals.decode(bytes)),
};
