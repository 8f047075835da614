/**
 * Lists of documents, as text: one JSON object a line, in the order of the Datanet's log. It is what an index
 * is built from when nobody asks a node.
 *
 * | field | |
 * | --- | --- |
 * | `contribution` | id, decimal text or number |
 * | `contributor` | address, bech32 or hexadecimal |
 * | `file` | content, relative to the list; none for one that is withdrawn and not at hand |
 * | `root`, `bytes` | content root in hexadecimal and length, as the chain has them; from the file when left out |
 * | `withdrawn` | true: no text of it is indexed |
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fromHex } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { fromBech32 } from '../../core/bech32.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { SourceDocument } from '../shard.ts';
import { codeOf, indexError } from './errors.ts';

/** A line of a list. */
export interface ListedDocument {
  readonly contributionId: bigint;
  readonly withdrawn: boolean;
  /** Reads its content; a withdrawn one has none. */
  readonly load: () => SourceDocument;
}

const ADDRESS_BYTES_MAX = 255;

/**
 * Reads a list; contents are read when they are asked for.
 * @param directory what `file` is relative to
 * @throws LedgerError (`attest.index_source`) naming the line
 */
export function parseDocumentsList(text: string, directory: string): ListedDocument[] {
  const seen = new Map<bigint, number>();
  const documents: ListedDocument[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const number = index + 1;
    const document = parseLine(line, number, directory);
    const before = seen.get(document.contributionId);
    if (before !== undefined)
      throw problem(number, `has contribution ${document.contributionId}, which line ${before} has already`);
    seen.set(document.contributionId, number);
    documents.push(document);
  }
  return documents;
}

function problem(line: number, what: string): Error {
  return indexError('source', `line ${line} of the documents list ${what}`, { line });
}

function parseLine(text: string, line: number, directory: string): ListedDocument {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = { ...Object(JSON.parse(text)) };
  } catch {
    throw problem(line, 'is not a JSON object');
  }
  const { contribution, contributor, file, root, bytes, withdrawn = false } = value;
  if (!/^\d{1,20}$/.test(String(contribution))) throw problem(line, '"contribution" is not an id such as 12');
  if (typeof withdrawn !== 'boolean') throw problem(line, '"withdrawn" is not true or false');
  if (file !== undefined && typeof file !== 'string') throw problem(line, '"file" is not a path');
  const given = {
    contributionId: BigInt(String(contribution)),
    contributor: addressOf(contributor, line),
    root: root === undefined ? undefined : rootOf(root, line),
    byteLength: bytes === undefined ? undefined : lengthOf(bytes, line),
  };
  if (file === undefined && (!withdrawn || given.root === undefined || given.byteLength === undefined))
    throw problem(line, 'needs a "file", or "withdrawn" with "root" and "bytes"');
  const load = (): SourceDocument => {
    const content = file === undefined ? undefined : readContent(resolve(directory, file), line);
    return {
      ...given,
      root: given.root ?? contentRoot(content ?? new Uint8Array(0)),
      byteLength: given.byteLength ?? content?.length ?? 0,
      content: withdrawn ? undefined : content,
    };
  };
  return { contributionId: given.contributionId, withdrawn, load };
}

function readContent(path: string, line: number): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = codeOf(error) ?? messageOf(error);
    throw problem(line, `names ${path}, which cannot be read (${reason}): put it there, or correct "file"`);
  }
}

function addressOf(value: unknown, line: number): Uint8Array {
  const text = String(value);
  let address: Uint8Array = new Uint8Array(0);
  try {
    address = /^(?:[0-9a-f]{2})+$/i.test(text) ? fromHex(text) : fromBech32(text).bytes;
  } catch {
    // Told below.
  }
  if (typeof value === 'string' && address.length > 0 && address.length <= ADDRESS_BYTES_MAX) return address;
  throw problem(line, '"contributor" is not an address, bech32 or hexadecimal');
}

function rootOf(value: unknown, line: number): Uint8Array {
  if (typeof value === 'string' && /^[0-9a-f]*$/i.test(value) && value.length === 2 * HASH_BYTES)
    return fromHex(value);
  throw problem(line, `"root" is not ${HASH_BYTES} bytes in hexadecimal`);
}

function lengthOf(value: unknown, line: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw problem(line, '"bytes" is not a length');
}
