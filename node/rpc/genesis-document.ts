import { DecodeError } from '../../core/errors.ts';
import { GENESIS_CHUNK_BYTES } from './config.ts';

/**
 * The genesis document as CometBFT serves it, from the text of the file. The Cosmos SDK keeps validators and
 * parameters under `consensus` and adds fields of its own; clients expect CometBFT's shape.
 * @throws DecodeError when the text is not a genesis file
 */
export function genesisDocument(text: string): string {
  const file: unknown = JSON.parse(text);
  if (!isRecord(file)) throw new DecodeError('genesis: not a JSON object');
  const consensus = isRecord(file['consensus']) ? file['consensus'] : {};
  const validators = file['validators'] ?? consensus['validators'];
  const params = file['consensus_params'] ?? consensus['params'];
  const initialHeight = file['initial_height'] ?? '1';
  return JSON.stringify({
    genesis_time: file['genesis_time'],
    chain_id: file['chain_id'],
    initial_height: typeof initialHeight === 'number' ? initialHeight.toString() : initialHeight,
    ...(isRecord(params) ? { consensus_params: params } : {}),
    ...(Array.isArray(validators) && validators.length > 0 ? { validators } : {}),
    app_hash: file['app_hash'] ?? '',
    ...(file['app_state'] === undefined ? {} : { app_state: file['app_state'] }),
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The document cut into pieces of 16 MiB, each in base64. */
export function genesisChunks(document: string): readonly string[] {
  const bytes = Buffer.from(document);
  const chunks: string[] = [];
  for (let from = 0; from < bytes.length; from += GENESIS_CHUNK_BYTES) {
    chunks.push(bytes.toString('base64', from, Math.min(bytes.length, from + GENESIS_CHUNK_BYTES)));
  }
  return chunks;
}
