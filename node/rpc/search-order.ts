import { LedgerError } from '../../core/errors.ts';
import type { SearchOrder } from './ports.ts';

/** Reads `order_by`. @throws LedgerError `rpc.order_by` when it is neither `asc` nor `desc` nor empty */
export function searchOrder(text: string, whenEmpty: SearchOrder): SearchOrder {
  if (text === '') return whenEmpty;
  if (text === 'asc' || text === 'desc') return text;
  throw new LedgerError('rpc.order_by', 'expected order_by to be either `asc` or `desc` or empty');
}
