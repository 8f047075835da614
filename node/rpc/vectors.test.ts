/** Answers and events, byte for byte in content and order of fields as CometBFT v0.38 writes them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { validatorSetFromMessage } from '../../consensus/types/validator-set.ts';
import { commitFromMessage } from '../../consensus/types/commit.ts';
import { voteFromMessage } from '../../consensus/types/vote.ts';
import { defined } from '../../core/errors.ts';
import {
  ResponseCheckTx,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseQuery,
  TxResult,
} from '../../proto/gen/tendermint/abci/types.ts';
import { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import { BlockID, BlockMeta, Commit, Header, Vote } from '../../proto/gen/tendermint/types/types.ts';
import { ValidatorSet } from '../../proto/gen/tendermint/types/validator.ts';
import type { EventData } from '../events.ts';
import { txKey } from '../tx-key.ts';
import { DEFAULT_RPC_CONFIG } from './config.ts';
import { Dispatcher } from './dispatcher.ts';
import { eventText } from './json/event.ts';
import type { RpcPorts } from './ports.ts';
import { readStoredBlock } from './stored-block.ts';
import { rpcMethods } from './server.ts';

interface Vector {
  readonly name: string;
  readonly proto: string;
  readonly extra?: Readonly<Record<string, string>>;
  readonly json: unknown;
}

const file = new URL('../../test/vectors/cometbft/rpc-json.json', import.meta.url);
const vectors: readonly Vector[] = JSON.parse(readFileSync(file, 'utf8'));

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
const extra = (vector: Vector, name: string): Uint8Array => bytes(defined(vector.extra?.[name], name));

function eventOf(vector: Vector): EventData {
  const proto = bytes(vector.proto);
  switch (vector.name.split(/[ /]/)[1]) {
    case 'Vote':
      return { type: 'Vote', vote: voteFromMessage(Vote.decode(proto)) };
    case 'NewBlock':
      return {
        type: 'NewBlock',
        block: readStoredBlock(proto),
        blockId: BlockID.decode(extra(vector, 'blockId')),
        results: ResponseFinalizeBlock.decode(extra(vector, 'results')),
      };
    case 'NewBlockHeader':
      return { type: 'NewBlockHeader', header: Header.decode(proto) };
    case 'NewBlockEvents': {
      const { events } = ResponseFinalizeBlock.decode(proto);
      return { type: 'NewBlockEvents', height: 9n, events, numTxs: vector.name.endsWith('empty') ? 0n : 3n };
    }
    case 'Tx': {
      const result = TxResult.decode(proto);
      return { type: 'Tx', result, txKey: txKey(result.tx) };
    }
    case 'ValidatorSetUpdates':
      return {
        type: 'ValidatorSetUpdates',
        validators: validatorSetFromMessage(ValidatorSet.decode(proto)).validators,
      };
    default:
      return { type: 'NewRoundStep', height: 9n, round: 1, step: 'RoundStepPropose' };
  }
}

const WAITING = new TextEncoder().encode('two');

/** Ports that answer with the vector, whatever height is asked for. */
function portsOf(vector: Vector): Partial<RpcPorts> {
  const proto = bytes(vector.proto);
  const blockMeta = (): BlockMeta => {
    if (vector.name === 'blockchain') return BlockMeta.decode(proto);
    const header = vector.extra?.['header'];
    const blockId = vector.extra?.['blockId'];
    return BlockMeta.create({
      ...(header === undefined ? {} : { header: Header.decode(bytes(header)) }),
      ...(blockId === undefined ? {} : { blockId: BlockID.decode(bytes(blockId)) }),
    });
  };
  const isMissing = vector.name.endsWith('missing');
  return {
    application: {
      info: async () => ResponseInfo.decode(proto),
      query: async () => ResponseQuery.decode(proto),
      checkTx: async () => ResponseCheckTx.decode(proto),
    },
    blocks: {
      range: () => ({ base: 12n, height: 12n }),
      meta: blockMeta,
      blockBytes: () => (vector.extra?.['block'] === undefined ? proto : extra(vector, 'block')),
      heightOf: () => (isMissing ? undefined : 12n),
      commit: () => commitFromMessage(Commit.decode(proto)),
    },
    mempool: {
      size: 1,
      sizeBytes: 3,
      list: () => [WAITING],
      checkTx: async () =>
        vector.name === 'broadcast_tx_commit'
          ? ResponseCheckTx.create({ gasWanted: 1n })
          : ResponseCheckTx.decode(proto),
    },
    state: {
      results: () => ResponseFinalizeBlock.decode(proto),
      validators: () => validatorSetFromMessage(ValidatorSet.decode(proto)),
      consensusParams: () => ConsensusParams.decode(proto),
    },
    index: {
      get: async () => TxResult.decode(proto),
      searchTxs: async () => ({ items: [], total: 0 }),
      searchBlocks: async () => ({ items: [], total: 0 }),
    },
    status: { catchingUp: () => true } as never,
    events: {
      waitForTx: (key: string) => ({
        committed: Promise.resolve(proto).then((encoded) => ({
          type: 'Tx' as const,
          result: TxResult.decode(vector.name.endsWith('refused') ? new Uint8Array(0) : encoded),
          txKey: key,
        })),
        cancel: () => {},
      }),
    } as never,
  };
}

/** The vectors were made for height 9 of a chain; the ports above have one block, 12. */
function expected(vector: Vector): string {
  return JSON.stringify(vector.json)
    .replace(/^\{"height":"9"/, '{"height":"12"')
    .replace('{"block_height":"9"', '{"block_height":"12"')
    .replace('"canonical":true', '"canonical":false');
}

const PARAMS: Readonly<Record<string, unknown>> = {
  'tx prove': { hash: Buffer.from(WAITING).toString('base64'), prove: true },
  tx: { hash: Buffer.from(WAITING).toString('base64') },
  broadcast_tx_sync: { tx: Buffer.from(WAITING).toString('base64') },
  broadcast_tx_commit: { tx: Buffer.from(WAITING).toString('base64') },
  'broadcast_tx_commit refused': { tx: Buffer.from(WAITING).toString('base64') },
};

test.each(vectors.filter((vector) => vector.name.startsWith('event/')))('$name', (vector) => {
  const text = eventText({ data: eventOf(vector), events: new Map([['a.b', ['c']]]) }, 'q');
  expect(text).toBe(JSON.stringify(vector.json));
});

test.each(vectors.filter((vector) => !vector.name.startsWith('event/')))('$name', async (vector) => {
  const ports = portsOf(vector);
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const methods = rpcMethods({ ...ports, logger } as RpcPorts, DEFAULT_RPC_CONFIG, () => '');
  const dispatcher = new Dispatcher({ methods, logger });
  const [word = '', qualifier] = vector.name.split(' ');
  const name = qualifier === 'missing' ? `${word}_by_hash` : word;
  const answer = await dispatcher.answerRequest(
    { id: '1', method: name, params: PARAMS[vector.name] ?? {} },
    { remote: '', connection: undefined, id: '1' },
  );
  expect(answer.text).toBe(`{"jsonrpc":"2.0","id":1,"result":${expected(vector)}}`);
});
