/**
 * How the results of a block are stored: in records of some transactions each, so that one result is read
 * without the others of its block.
 */
import { concatBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { ExecTxResult, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';

/** Results in one record, but for the last of a block. */
export const RESULTS_PER_RECORD = 32;
const LENGTH_BYTES = 4;

/** A block's results without those of its transactions, and how many these are. */
export interface ResultsHead {
  readonly txCount: number;
  readonly results: ResponseFinalizeBlock;
}

/** `number of transactions (4) | tendermint.abci.ResponseFinalizeBlock without tx_results`. */
export function encodeResultsHead(results: ResponseFinalizeBlock): Uint8Array {
  const head = ResponseFinalizeBlock.encode({ ...results, txResults: [] });
  return concatBytes(uint32(results.txResults.length), head);
}

/** @throws DecodeError */
export function decodeResultsHead(bytes: Uint8Array): ResultsHead {
  const results = ResponseFinalizeBlock.decode(bytes.subarray(LENGTH_BYTES));
  return { txCount: uint32At(bytes, 0), results };
}

/** `number of results (4) | length of each (4) … | tendermint.abci.ExecTxResult …`. */
export function encodeResults(results: readonly ExecTxResult[]): Uint8Array {
  const encoded = results.map((result) => ExecTxResult.encode(result));
  const lengths = new DataView(new ArrayBuffer(LENGTH_BYTES * (1 + encoded.length)));
  lengths.setUint32(0, encoded.length);
  for (const [i, { length }] of encoded.entries()) lengths.setUint32(LENGTH_BYTES * (i + 1), length);
  return concatBytes(new Uint8Array(lengths.buffer), ...encoded);
}

/** One result of a record; undefined when it has fewer. @throws DecodeError */
export function decodeResult(bytes: Uint8Array, index: number): ExecTxResult | undefined {
  const count = uint32At(bytes, 0);
  if (index >= count) return undefined;
  let start = LENGTH_BYTES * (1 + count);
  for (let i = 0; i < index; i++) start += uint32At(bytes, LENGTH_BYTES * (1 + i));
  return decodeAt(bytes, start, uint32At(bytes, LENGTH_BYTES * (1 + index)));
}

/** All results of a record. @throws DecodeError */
export function decodeResults(bytes: Uint8Array): ExecTxResult[] {
  const count = uint32At(bytes, 0);
  const results: ExecTxResult[] = [];
  let start = LENGTH_BYTES * (1 + count);
  for (let i = 0; i < count; i++) {
    const length = uint32At(bytes, LENGTH_BYTES * (1 + i));
    results.push(decodeAt(bytes, start, length));
    start += length;
  }
  return results;
}

function decodeAt(bytes: Uint8Array, start: number, length: number): ExecTxResult {
  if (start + length > bytes.length) throw new DecodeError('results: cut short', { bytes: bytes.length });
  return ExecTxResult.decode(bytes.subarray(start, start + length));
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function uint32At(bytes: Uint8Array, at: number): number {
  if (at + LENGTH_BYTES > bytes.length) throw new DecodeError('results: cut short', { bytes: bytes.length });
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
