/** What other nodes' RPC answers: the envelope, validators, proofs of transactions, consensus parameters. */
import { checkConsensusParams } from '../../../consensus/types/params.ts';
import { decodeLightBlock } from '../../../consensus/types/light-block.ts';
import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import { DecodeError, LedgerError, messageOf } from '../../../core/errors.ts';
import { MERKLE_AUNTS_MAX, verifyMerkleProof } from '../../../core/merkle.ts';
import { JsonField } from '../../../light/json/field.ts';
import type { Json } from '../../../light/json/json.ts';
import { txProofJson, validatorJson } from '../../../light/json/print.ts';
import { readMerkleProof, readValidatorSet } from '../../../light/json/read.ts';
import { JsonRpc } from '../../../light/json-rpc.ts';
import { readConsensusParams } from '../../../node/trusted-chain.ts';
import type { Target } from '../target.ts';
import { base64Vectors, isDecodeError } from './vectors.ts';

const KIB = 1024;
const HASH = new Uint8Array(32);
const text = (value: Json): Uint8Array => utf8(JSON.stringify(value));

/** The JSON of an answer. */
function parsed(bytes: Uint8Array): JsonField {
  try {
    return new JsonField(JSON.parse(fromUtf8(bytes)), 'answer');
  } catch (error) {
    throw new DecodeError(messageOf(error).slice(0, 20));
  }
}

const sets = base64Vectors('light/verify.json', 'blocks').flatMap((bytes) => {
  try {
    const { validators, proposer } = decodeLightBlock(bytes).validators;
    return proposer === undefined
      ? []
      : [{ validators: validators.map(validatorJson), proposer: validatorJson(proposer) }];
  } catch {
    return []; // some of the file's blocks are broken on purpose
  }
});
const proof = { total: 4, index: 1, leafHash: HASH, aunts: [HASH, HASH] };
const txProof = txProofJson({ root: HASH, tx: Uint8Array.of(1, 2), proof });
const params = {
  block: { max_bytes: '4194304', max_gas: '-1' },
  evidence: { max_age_num_blocks: '100000', max_age_duration: '172800000000000', max_bytes: '1048576' },
  validator: { pub_key_types: ['ed25519'] },
  version: {},
  abci: { vote_extensions_enable_height: '0' },
};

/** A node that answers with these bytes. */
async function answered(bytes: Uint8Array): Promise<undefined> {
  const body = Uint8Array.from(bytes);
  const options = { url: 'http://node', timeoutMs: 60_000, responseBytesMax: 16 * KIB };
  const answer = await new JsonRpc({ ...options, fetch: async () => new Response(body) }).call('status', {});
  answer.at('node_info').at('network').string();
  return undefined;
}

export const ANSWER_TARGETS: readonly Target[] = [
  {
    name: 'light/rpc-answer',
    form: 'json',
    seeds: [
      text({ jsonrpc: '2.0', id: 1, result: { node_info: { network: 'fuzz-1' } } }),
      text({ jsonrpc: '2.0', id: 1, error: { code: -32_603, message: 'Internal error', data: 'no' } }),
    ],
    bytesMax: 20 * KIB,
    read: answered,
    documented: (error) =>
      error instanceof LedgerError && /^(decode|light\.(rpc|malformed|unreachable))$/.test(error.code),
  },
  {
    name: 'light/validators',
    form: 'json',
    seeds: sets.map(text),
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const { validators, proposer } = readValidatorSet(parsed(bytes));
      const shown = proposer === undefined ? null : validatorJson(proposer);
      return () => text({ validators: validators.map(validatorJson), proposer: shown });
    },
    documented: isDecodeError,
  },
  {
    name: 'light/tx-proof',
    form: 'json',
    seeds: [text(txProof)],
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const json = parsed(bytes);
      const read = readMerkleProof(json.at('proof'));
      if (read.aunts.length > MERKLE_AUNTS_MAX) throw new RangeError('too many aunts');
      verifyMerkleProof(read, HASH, json.at('data').base64());
      return undefined;
    },
    documented: isDecodeError,
  },
  {
    name: 'light/consensus-params',
    form: 'json',
    seeds: [text(params)],
    bytesMax: 64 * KIB,
    read: (bytes) => {
      checkConsensusParams(readConsensusParams(parsed(bytes)));
      return undefined;
    },
    documented: (error) => error instanceof LedgerError && /^(decode|params\.invalid)$/.test(error.code),
  },
];
