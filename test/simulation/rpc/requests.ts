/** What clients ask: valid, expensive, malformed; each a body, with what its answer is held against. */
import { toBase64, toUpperHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { SeededRandom } from '../../../consensus/simulation/random.ts';
import { transfer } from '../chain.ts';

/** A request. */
export interface Asked {
  readonly body: string;
  readonly method: string;
  /** Answers to requests of the same name are the same everywhere. */
  readonly same?: string;
  /** A broadcast whose sender goes on when it is taken. */
  readonly sender?: { readonly account: number; readonly sequence: number };
}

/** What requests are made of. */
export interface RequestWorld {
  readonly random: SeededRandom;
  /** The highest height that somebody committed. */
  readonly height: bigint;
  /** Accounts that send, from 0. */
  readonly accounts: number;
  readonly sequenceOf: (account: number) => number;
  /** Hashes of transactions, in upper-case hex. */
  readonly hashes: readonly string[];
}

const QUERIES = [
  "tm.event = 'Tx'",
  "tm.event = 'NewBlock'",
  "tm.event = 'Vote'",
  "tm.event = 'Tx' AND tx.height > 2",
  "tm.event = 'NewBlockHeader'",
  'tx.height > 0',
  'tx.height >= 1 AND tx.height <= 9999999',
  "message.action = '/cosmos.bank.v1beta1.MsgSend'",
  "transfer.amount CONTAINS 'uopen' AND tx.height > 0",
  "tx.hash = 'XYZ'",
  'tm.event = ',
  "'",
  `${'a.b > 1 AND '.repeat(60)}a.b > 1`,
];
const AT_HEIGHT = ['block', 'block_results', 'commit', 'header', 'validators', 'consensus_params'];
const PLAIN = [
  'status',
  'health',
  'net_info',
  'genesis',
  'abci_info',
  'num_unconfirmed_txs',
  'consensus_state',
  'dump_consensus_state',
  'subscribe',
  'no_such_method',
];
const MALFORMED = [
  '{',
  '"text"',
  '[]',
  'null',
  '[1,2,3]',
  `${'['.repeat(100)}${']'.repeat(100)}`,
  '{"jsonrpc":"2.0","id":{},"method":"status"}',
  '{"jsonrpc":"2.0","id":1,"method":7}',
  '{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":3}}',
  '{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":"-3"}}',
  '{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":"99999999999999999999"}}',
  '{"jsonrpc":"2.0","id":1,"method":"block","params":["1","2"]}',
  '{"jsonrpc":"2.0","id":1,"method":"block","params":"1"}',
  '{"jsonrpc":"2.0","id":1,"method":"tx","params":{"hash":"!!"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tx","params":{"hash":""}}',
  '{"jsonrpc":"2.0","id":1,"method":"tx_search","params":{"query":"tx.height > 0","order_by":"up"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tx_search","params":{"query":"tx.height > 0","page":"-1"}}',
  '{"jsonrpc":"2.0","id":1,"method":"abci_query","params":{"path":"/nowhere","data":"zz"}}',
  '{"jsonrpc":"2.0","id":1,"method":"abci_query","params":{"path":"/nowhere","data":"00"}}',
  '{"jsonrpc":"2.0","id":1,"method":"abci_query","params":{"path":"/cosmos.bank.v1beta1.Query/Params","data":"ff"}}',
  '{"jsonrpc":"2.0","id":1,"method":"broadcast_evidence","params":{"evidence":{"type":"x"}}}',
  '{"jsonrpc":"2.0","id":1,"method":"validators","params":{"per_page":"1000000","page":"7"}}',
  '{"jsonrpc":"2.0","id":1,"method":"blockchain","params":{"minHeight":"9","maxHeight":"1"}}',
  '{"jsonrpc":"2.0","id":1,"method":"genesis_chunked","params":{"chunk":"5"}}',
];
const BATCH_MAX = 12;
const GARBAGE_BYTES_MAX = 200;
const OVERSIZED_BYTES = 10_000;

/** Some request of a client. */
export function someRequest(world: RequestWorld): Asked {
  const { random } = world;
  const dice = random.below(100);
  if (dice < 25) return broadcast(world);
  if (dice < 50) return atHeight(world);
  if (dice < 60) return search(world);
  if (dice < 70) return byHash(world);
  if (dice < 78) return query(world);
  if (dice < 88) return asked(random.pick(PLAIN) ?? 'status', {});
  if (dice < 96) return { body: random.pick(MALFORMED) ?? '', method: 'malformed' };
  const parts = Array.from({ length: 1 + random.below(BATCH_MAX) }, () => atHeight(world).body);
  return { body: `[${parts.join(',')}]`, method: 'batch' };
}

/** A request to subscribe, or to have done with it. */
export function someSubscription({ random }: Pick<RequestWorld, 'random'>): Asked {
  const query = random.pick(QUERIES) ?? '';
  const dice = random.below(100);
  if (dice < 85) return asked('subscribe', { query });
  return dice < 95 ? asked('unsubscribe', { query }) : asked('unsubscribe_all', {});
}

/** Asks for a transaction by its hash. */
export function txRequest(hash: string): Asked {
  const bytes = Buffer.from(hash, 'hex').toString('base64');
  return { ...asked('tx', { hash: bytes, prove: true }), same: `tx ${hash}` };
}

function asked(method: string, params: Readonly<Record<string, unknown>>): Asked {
  return { method, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) };
}

function broadcast({ random, accounts, sequenceOf }: RequestWorld): Asked {
  const method = random.pick([
    'broadcast_tx_sync',
    'broadcast_tx_sync',
    'broadcast_tx_async',
    'broadcast_tx_commit',
    'check_tx',
  ]);
  const name = method ?? 'broadcast_tx_sync';
  const dice = random.below(100);
  if (dice < 12) return asked(name, { tx: toBase64(new Uint8Array(OVERSIZED_BYTES)) });
  if (dice < 25) {
    const tx = Uint8Array.from({ length: random.below(GARBAGE_BYTES_MAX) }, () => random.below(256));
    return asked(name, { tx: toBase64(tx) });
  }
  const account = random.below(accounts);
  const sequence = sequenceOf(account) + (dice < 35 ? 2 : 0);
  const tx = transfer({ from: account, to: (account + 1) % accounts, sequence, amount: 1 });
  const sender =
    name === 'check_tx' || name === 'broadcast_tx_async' ? {} : { sender: { account, sequence } };
  return { ...asked(name, { tx: toBase64(tx) }), ...sender };
}

function atHeight({ random, height }: RequestWorld): Asked {
  const method = random.pick(AT_HEIGHT) ?? 'block';
  const at = Number(height) + 2 - random.below(Math.min(12, Number(height) + 3));
  return { ...asked(method, { height: at.toString() }), same: `${method} ${at}` };
}

function search({ random }: RequestWorld): Asked {
  const params = {
    query: random.pick(QUERIES) ?? '',
    prove: random.percent(50),
    per_page: random.percent(50) ? '100' : '1',
    page: random.percent(80) ? '1' : '3',
    order_by: random.percent(50) ? 'desc' : 'asc',
  };
  return asked(random.percent(60) ? 'tx_search' : 'block_search', params);
}

function byHash({ random, hashes }: RequestWorld): Asked {
  return txRequest(random.pick(hashes) ?? toUpperHex(sha256(new Uint8Array(1))));
}

function query({ random, height }: RequestWorld): Asked {
  const at = Math.max(0, Number(height) - random.below(4));
  const store = random.pick(['bank', 'acc', 'consensus', 'none']) ?? 'bank';
  const params = {
    path: `store/${store}/key`,
    data: random.pick(['00', '02', '0100', '']),
    height: at.toString(),
    prove: random.percent(70),
  };
  const request = asked('abci_query', params);
  return at === 0 ? request : { ...request, same: `abci_query ${JSON.stringify(params)}` };
}
