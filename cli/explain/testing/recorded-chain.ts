/** A test chain whose blocks are remembered with headers over them, as `explain` asks for them. */
import { headerHash } from '../../../consensus/types/header.ts';
import type { Header } from '../../../consensus/types/header.ts';
import { BLOCK_PROTOCOL } from '../../../consensus/types/limits.ts';
import { toUpperHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { LedgerError } from '../../../core/errors.ts';
import type { Event, ResponseFinalizeBlock } from '../../../proto/gen/tendermint/abci/types.ts';
import { type BlockContent, TestChain } from '../../../test/support/test-chain.ts';
import type { ExplainChain, FoundTx } from '../chain.ts';

interface RecordedBlock {
  readonly txs: readonly Uint8Array[];
  readonly results: ResponseFinalizeBlock;
}

/** See the file comment. */
export class RecordedChain extends TestChain implements ExplainChain {
  readonly #blocks: RecordedBlock[] = [];
  readonly #headers: Header[] = [];

  override blockOf(content: BlockContent): ResponseFinalizeBlock {
    const results = super.blockOf(content);
    this.#blocks.push({ txs: content.txs ?? [], results });
    return results;
  }

  latest(): Promise<bigint> {
    return Promise.resolve(this.height);
  }

  /** A header for the last state as well: there is nobody else who would make one. */
  header(height: bigint): Promise<Header | undefined> {
    while (BigInt(this.#headers.length) <= this.height) this.#headers.push(this.#nextHeader());
    return Promise.resolve(this.#headers[Number(height) - 1]);
  }

  #nextHeader(): Header {
    const last = this.#headers.at(-1);
    const height = BigInt(this.#headers.length + 1);
    const some = (name: string): Uint8Array => Uint8Array.from(sha256(utf8(`${name} ${height}`)));
    const partSetHeader = { total: 1, hash: some('parts') };
    return {
      version: { block: BLOCK_PROTOCOL, app: 0n },
      chainId: this.chainId,
      height,
      time: { seconds: 1_700_000_000n + height, nanos: 7 },
      lastBlockId: { hash: last === undefined ? new Uint8Array(0) : headerHash(last), partSetHeader },
      lastCommitHash: some('commit'),
      dataHash: some('data'),
      validatorsHash: some('validators'),
      nextValidatorsHash: some('next validators'),
      consensusHash: some('consensus'),
      appHash: this.#blocks[Number(height) - 2]?.results.appHash ?? new Uint8Array(0),
      lastResultsHash: some('results'),
      evidenceHash: some('evidence'),
      proposerAddress: some('proposer').slice(0, 20),
    };
  }

  ask({ path, data, height, prove }: Parameters<ExplainChain['ask']>[0]): ReturnType<ExplainChain['ask']> {
    const { code, log, value, proofOps, height: at } = this.rawQuery(path, data, height, prove);
    if (code !== 0) return Promise.reject(new LedgerError('explain.query', log));
    return Promise.resolve({ value, ops: proofOps?.ops ?? [], height: at });
  }

  tx(hash: string): Promise<FoundTx | undefined> {
    return Promise.resolve(this.#txs().find((tx) => tx.hash === hash));
  }

  txs(query: string): Promise<readonly FoundTx[]> {
    return Promise.resolve(this.#txs().filter(({ events, height }) => matches(query, events, height)));
  }

  blocks(query: string): Promise<readonly bigint[]> {
    const heights = this.#blocks.map((_, i) => BigInt(i + 1));
    return Promise.resolve(heights.filter((height) => matches(query, this.#eventsAt(height), height)));
  }

  blockEvents(height: bigint): Promise<readonly Event[]> {
    return Promise.resolve(this.#eventsAt(height));
  }

  #eventsAt(height: bigint): readonly Event[] {
    return this.#blocks[Number(height) - 1]?.results.events ?? [];
  }

  #txs(): readonly FoundTx[] {
    return this.#blocks.flatMap(({ txs, results }, i) =>
      txs.map((tx, at) => {
        const { code = 1, events = [] } = results.txResults[at] ?? {};
        return { hash: toUpperHex(sha256(tx)), height: BigInt(i + 1), tx, code, events };
      }),
    );
  }
}

/** True when each condition of a query has its event. */
function matches(query: string, events: readonly Event[], height: bigint): boolean {
  return query.split(' AND ').every((condition) => {
    const [, name = '', sign = '', value = ''] = /^([\w.]+)([<>]?=|>)'?([^']*)'?$/.exec(condition) ?? [];
    if (name === 'tx.height' || name === 'block.height') return isWithin(height, sign, BigInt(value));
    const [type, key] = name.split('.');
    return events.some(
      (event) =>
        event.type === type && event.attributes.some((each) => each.key === key && each.value === value),
    );
  });
}

function isWithin(height: bigint, sign: string, bound: bigint): boolean {
  if (sign === '=') return height === bound;
  if (sign === '>') return height > bound;
  return sign === '>=' ? height >= bound : height <= bound;
}
