/** Requests to the RPC, and blocks that a light client reads out of another node's answers. */
import { blockJson, commitJson, evidenceJson, headerJson } from '../../../light/json/print.ts';
import { decodeBlock } from '../../../consensus/types/block.ts';
import { decodeEvidence } from '../../../consensus/types/evidence.ts';
import { decodeLightBlock } from '../../../consensus/types/light-block.ts';
import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import { DecodeError, LedgerError, messageOf } from '../../../core/errors.ts';
import { JsonField } from '../../../light/json/field.ts';
import type { Json } from '../../../light/json/json.ts';
import { readBlock, readEvidence } from '../../../light/json/read-block.ts';
import { readSignedHeader } from '../../../light/json/read.ts';
import { parseQuery } from '../../../node/query.ts';
import { ParamError, RpcError } from '../../../node/rpc/errors.ts';
import { readRequests } from '../../../node/rpc/message.ts';
import { type ParamSchema, paramsFromJson, paramsFromUri } from '../../../node/rpc/params.ts';
import type { Reencode, Target } from '../target.ts';
import { base64Vectors, hexVectors, isDecodeError } from './vectors.ts';

const KIB = 1024;
/** Every kind of parameter. */
const SCHEMA: ParamSchema = {
  height: 'int64?',
  minHeight: 'int64',
  page: 'int?',
  chunk: 'uint',
  prove: 'bool',
  query: 'string',
  tx: 'bytes',
  data: 'hexBytes',
  evidence: 'json',
};
const params = {
  height: '5',
  minHeight: '-1',
  page: '2',
  chunk: '0',
  prove: true,
  query: 'a',
  tx: 'AA==',
  data: 'ff',
};
const call = { jsonrpc: '2.0', id: 1, method: 'block', params };
const positional = { ...call, id: 'a', params: ['5', '1', '2', '0', false, 'q', 'AA==', 'ff', { a: [1] }] };
const text = (value: Json): Uint8Array => utf8(JSON.stringify(value));

function parsed(bytes: Uint8Array): JsonField {
  try {
    return new JsonField(JSON.parse(fromUtf8(bytes)), 'answer');
  } catch (error) {
    // As the client of the RPC does with what is no JSON.
    throw new DecodeError(messageOf(error).slice(0, 20));
  }
}

function reader<T>(
  name: string,
  seeds: readonly Uint8Array[],
  codec: { readonly read: (json: JsonField) => T; readonly write: (value: T) => Json },
): Target {
  return {
    name: `light/${name}`,
    form: 'json',
    seeds,
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const value = codec.read(parsed(bytes));
      return () => text(codec.write(value));
    },
    documented: isDecodeError,
  };
}

const isRpcError = (error: unknown): boolean => error instanceof RpcError || error instanceof ParamError;

function readUri(bytes: Uint8Array): Reencode {
  // A query string has no other bytes.
  const latin1 = Buffer.from(bytes).toString('latin1');
  paramsFromUri(SCHEMA, new URLSearchParams(latin1));
  return undefined;
}

const blocks = hexVectors('cometbft/blocks.json', 'blocks.bytes').map(decodeBlock);
const evidence = hexVectors('cometbft/attacks.json', 'cases.evidence').slice(0, 4).map(decodeEvidence);
/** Some of the file's blocks are broken on purpose. */
const headers = base64Vectors('light/verify.json', 'blocks').flatMap((bytes) => {
  try {
    return [decodeLightBlock(bytes)];
  } catch {
    return [];
  }
});

export const JSON_TARGETS: readonly Target[] = [
  {
    name: 'rpc/request',
    form: 'json',
    seeds: [text(call), text([call, positional]), text({ jsonrpc: '2.0', method: 'health' })],
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const body = Buffer.from(bytes).toString();
      for (const request of readRequests(body, { jsonDepthMax: 64, batchMax: 10 }).requests)
        paramsFromJson(SCHEMA, request.params);
      return undefined;
    },
    documented: isRpcError,
  },
  {
    name: 'rpc/uri',
    form: 'bytes',
    seeds: [
      utf8('height=5&minHeight=-1&page="2"&chunk=0&prove=true&query="a"&tx=0xff&data="ab"'),
      utf8('tx="a%20b"&evidence=[[1,{"a":null}]]'),
    ],
    bytesMax: 64 * KIB,
    read: readUri,
    documented: isRpcError,
  },
  {
    name: 'rpc/query',
    form: 'bytes',
    seeds: [
      utf8("tm.event='Tx' AND tx.height>5 AND a.b CONTAINS 'c' AND d.e EXISTS"),
      utf8('block.time >= TIME 2013-05-03T14:45:00Z AND a.day = DATE 2013-05-03 AND n.x <= 1.5'),
    ],
    bytesMax: KIB,
    read: (bytes) => {
      parseQuery(Buffer.from(bytes).toString());
      return undefined;
    },
    documented: (error) => error instanceof LedgerError && error.code === 'query.invalid',
  },
  reader(
    'signed-header',
    headers.map(({ header, commit }) => text({ header: headerJson(header), commit: commitJson(commit) })),
    {
      read: readSignedHeader,
      write: ({ header, commit }) => ({ header: headerJson(header), commit: commitJson(commit) }),
    },
  ),
  reader(
    'block',
    blocks.map((block) => text(blockJson(block))),
    { read: readBlock, write: blockJson },
  ),
  reader(
    'evidence',
    evidence.map((each) => text(evidenceJson(each))),
    { read: readEvidence, write: evidenceJson },
  ),
];
