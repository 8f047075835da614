/**
 * What the nodes have said over RPC: each answer is one, each refusal says what and why, answers to the same
 * question agree, and what was said to be in a block is there.
 */
import { toUpperHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import type { Asked } from './requests.ts';

type Values = Readonly<Record<string, unknown>>;

const METHOD_NOT_FOUND = -32_601;
/** Words of a mistake of ours, not of a caller's. */
const MISTAKE =
  /\bundefined\b|TypeError|is not a function|is not iterable|Cannot (?:read|convert|mix)|BigInt/;
const SHOWN_MAX = 300;

/** See the file comment. */
export class Answers {
  /** By hash, upper-case: the height that a node gave. */
  readonly committed: Map<string, bigint> = new Map();
  /** How often there was which answer. */
  readonly counts: Map<string, number> = new Map();
  readonly #fail: (invariant: string, sentence: string) => void;
  /** By question: who answered first, and what. */
  readonly #same: Map<string, { readonly by: string; readonly text: string }> = new Map();

  constructor(fail: (invariant: string, sentence: string) => void) {
    this.#fail = fail;
  }

  /** Judges an answer; returns the result of a single request that was not refused. */
  judge(by: string, asked: Asked, text: string): Values | undefined {
    if (text === '' && (asked.body === '[]' || asked.body === 'null')) return undefined;
    const value = parsed(text);
    if (value === undefined) {
      this.#fail(
        'answers',
        `${by} answers ${asked.body.slice(0, SHOWN_MAX)} with ${text.slice(0, SHOWN_MAX)}`,
      );
      return undefined;
    }
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const results = list.map((one) => this.#judgeOne(by, asked, one));
    const result = list.length === 1 ? results[0] : undefined;
    if (result !== undefined) this.#learn(by, asked, result);
    return result;
  }

  /** A node says, in an answer or an event, that a transaction is in a block. */
  learnCommitted(by: string, hash: unknown, height: unknown): void {
    if (typeof hash !== 'string' || typeof height !== 'string' || height === '0') return;
    const known = this.committed.get(hash);
    if (known !== undefined && known !== BigInt(height))
      this.#fail('answers agree', `${by} says that ${hash} is at ${height}, another that it is at ${known}`);
    this.committed.set(hash, BigInt(height));
  }

  /** Learns from an event of a subscription. */
  learnEvent(by: string, result: Values): void {
    const data = values(result['data']);
    const tx = values(values(data?.['value'])?.['TxResult']);
    if (tx === undefined || typeof tx['tx'] !== 'string') return;
    this.learnCommitted(by, toUpperHex(sha256(Buffer.from(tx['tx'], 'base64'))), tx['height']);
  }

  /** What was said to be in a block has to be there. */
  requireKept(chain: ReadonlyMap<bigint, CommittedBlock>): void {
    for (const [hash, height] of this.committed) {
      const txs = chain.get(height)?.block.txs ?? [];
      if (!txs.some((tx) => toUpperHex(sha256(tx)) === hash))
        this.#fail('nothing said is lost', `${hash} was said to be at height ${height}, and is not`);
    }
  }

  #judgeOne(by: string, { method, body }: Asked, one: unknown): Values | undefined {
    const answer = values(one);
    const error = values(answer?.['error']);
    const result = values(answer?.['result']);
    if (error === undefined) {
      this.#count(`${method} answered`);
      // A commit, or a block, that a node does not have is null.
      if (result === undefined && answer?.['result'] !== null)
        this.#fail('answers', `${by} answers ${body.slice(0, SHOWN_MAX)} with neither result nor error`);
      return result;
    }
    this.#count(`${method} refused`);
    const { code, message, data } = error;
    const isSaid = typeof message === 'string' && message !== '' && typeof code === 'number';
    const isWhy = code === METHOD_NOT_FOUND || (typeof data === 'string' && data !== '');
    if (!isSaid || !isWhy || MISTAKE.test(String(data ?? '')))
      this.#fail('refusals say why', `${by} refuses ${body.slice(0, SHOWN_MAX)}: ${JSON.stringify(error)}`);
    return undefined;
  }

  #learn(by: string, { method, same }: Asked, result: Values): void {
    if (method === 'broadcast_tx_commit') this.learnCommitted(by, result['hash'], result['height']);
    if (method === 'tx') this.learnCommitted(by, result['hash'], result['height']);
    const found = result['txs'];
    if (method === 'tx_search' && Array.isArray(found))
      for (const tx of found) this.learnCommitted(by, values(tx)?.['hash'], values(tx)?.['height']);
    this.#requireWords(by, method, result);
    if (same !== undefined && isFinal(method, result)) this.#compare(by, same, result);
  }

  /** A code that is not 0 comes with words. */
  #requireWords(by: string, method: string, result: Values): void {
    const parts = [
      result,
      values(result['check_tx']),
      values(result['response']),
      values(result['tx_result']),
    ];
    for (const part of parts) {
      const code = part?.['code'];
      if (typeof code === 'number' && code !== 0 && part?.['log'] === '')
        this.#fail('refusals say why', `${by}: ${method} gives code ${code} without a word`);
    }
  }

  #compare(by: string, same: string, result: Values): void {
    const text = JSON.stringify(result);
    const first = this.#same.get(same);
    if (first === undefined) this.#same.set(same, { by, text });
    else if (first.text !== text)
      this.#fail(
        'answers agree',
        `${same}: ${first.by} says ${first.text.slice(0, SHOWN_MAX)}, ${by} says ${text.slice(0, SHOWN_MAX)}`,
      );
  }

  #count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

/** False for what may be another thing at another node, or later. */
function isFinal(method: string, result: Values): boolean {
  if (method === 'commit') return result['canonical'] === true;
  // The state of that height may be gone, or not be there yet.
  if (method === 'abci_query') return values(result['response'])?.['code'] === 0;
  return true;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The members of a JSON object. */
export function values(value: unknown): Values | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}
