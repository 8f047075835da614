/** The verifier's rules on rows that say something else than the chain's. */
import type { Bundle } from '../../../client/verifier/types.ts';
import { derive } from '../../../client/verifier/verify-payout.ts';
import { fromHex } from '../../../core/bytes.ts';
import { defined } from '../../../core/errors.ts';
import type { MessageType } from '../../../proto/codec/message.ts';
import { evidenceOf } from '../evidence.ts';

/** What a row says instead, and of which height. */
export type Change = (value: Uint8Array, height: bigint) => Uint8Array;

/** Derives what a bundle is about from its rows, some of which say something else; proofs are not looked at. */
export function deriveWith(text: string, store: string, prefix: string, change: Change): void {
  const { states, targets, claims, epochs, attributions }: Bundle = JSON.parse(text);
  const rows = new Map<string, Uint8Array | undefined>();
  const heightOf = ({ header }: Bundle['states'][number]): bigint =>
    BigInt(fromHex(header[2] ?? '')[1] ?? 0) - 1n;
  for (const state of states)
    for (const { name, rows: shown } of state.stores)
      for (const { key, found } of shown) {
        const value = found === null ? undefined : fromHex(found.value);
        const isChanged = value !== undefined && name === store && key.startsWith(prefix);
        rows.set(`${heightOf(state)}/${name}/${key}`, isChanged ? change(value, heightOf(state)) : value);
      }
  const height = heightOf(defined(states.at(-1), 'state'));
  const evidence = evidenceOf({ height, claims, epochs, attributions }, ({ height: at, store: of, key }) => {
    return rows.get(`${at}/${of}/${key}`) ?? new Uint8Array(0);
  });
  for (const target of targets) derive(evidence, target);
}

/** The same with some fields changed. */
export function changed<T>(type: MessageType<T>, change: (value: T) => Partial<T>): Change {
  return (bytes) => {
    const value = type.decode(bytes);
    return type.encode({ ...value, ...change(value) });
  };
}
