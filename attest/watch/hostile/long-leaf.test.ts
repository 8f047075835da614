/** A leaf that no proof of a fraud can show, served over HTTP as it was committed to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runOfShard } from '../../../modules/attribution/proof/shard/commitment.ts';
import { SHOWN_LEAF_BYTES_MAX } from '../../../modules/attribution/proof/shard/fraud-format.ts';
import { SHARD_TREES, type ShardTree } from '../../../modules/attribution/proof/kinds.ts';
import { commitLeaves, leavesOfArrays } from '../../prove/memory.ts';
import type { ProvableShard } from '../../prove/prove.ts';
import { naiveShard, textDocument } from '../../testing/naive-shard.ts';
import { httpPublishers } from '../http-publisher.ts';
import type { Publisher } from '../ports.ts';
import { FakeChain, memoryPublisher } from '../testing/fake-chain.ts';
import { hostileServer, type HostileServer } from '../testing/hostile-server.ts';
import { watcherIn } from '../testing/watch-world.ts';

const documents = [textDocument(11, 'it was the best of times '.repeat(20)), textDocument(12, 'abcd')];
const arrays = naiveShard(documents);
const leaves = leavesOfArrays(arrays, { datanetId: 1n });
const AT = 3;

let home = '';
let served: HostileServer | undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
});

afterEach(async () => {
  rmSync(home, { recursive: true, force: true });
  await served?.stop();
});

/** Four bytes of length before each leaf. */
function joined(list: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    list.flatMap((leaf) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(leaf.length);
      return [length, leaf];
    }),
  );
}

/** What somebody has in memory, over HTTP. */
function overHttp(publisher: Publisher): Promise<HostileServer> {
  const bodyOf = async (url: URL): Promise<Uint8Array | undefined> => {
    const [, , what, key = '', pieces, tree, level] = url.pathname.split('/');
    const range = {
      from: Number(url.searchParams.get('from')),
      count: Number(url.searchParams.get('count')),
    };
    if (what === 'contents') return await publisher.content(Buffer.from(key, 'hex'), 0);
    if (pieces === 'nodes') {
      const nodes = await publisher.nodes(key, tree as ShardTree, { ...range, level: Number(level) });
      return nodes && Buffer.concat(nodes);
    }
    const found = await publisher.leaves(key, tree as ShardTree, range);
    return found && joined(found);
  };
  return hostileServer((_, request, response) => {
    void bodyOf(new URL(request.url ?? '', 'http://host')).then((body) => {
      response.statusCode = body === undefined ? 404 : 200;
      response.end(body);
    });
  });
}

function withLongLeaf(length: number): ProvableShard {
  const long = new Uint8Array(length).fill(7);
  const suffix = leaves.suffix.map((leaf, i) => (i === AT ? long : leaf));
  return commitLeaves({ ...leaves, suffix }, arrays, { datanetId: 1n });
}

async function watched(wrong: ProvableShard) {
  const chain = new FakeChain(documents);
  chain.publish(wrong, 'a');
  served = await overHttp(memoryPublisher({ texts: documents, shard: wrong }));
  const log: string[] = [];
  const publishers = { a: httpPublishers({ timeMs: 5_000, retries: 0 })(served.url) };
  const watcher = watcherIn({ home, chain, log, publishers });
  chain.answering = wrong;
  for (let round = 0; round < 12; round++) {
    await watcher.lookAtPublished();
    chain.answer();
  }
  return { chain, log };
}

test('the longest leaf that can be shown convicts at once', async () => {
  const { chain } = await watched(withLongLeaf(SHOWN_LEAF_BYTES_MAX));
  expect(chain.sent).toEqual([['convict', 1n]]);
});

test.each([[SHOWN_LEAF_BYTES_MAX + 1], [20_000]])(
  'a leaf of %i bytes is demanded on the chain, where it is no answer',
  async (length) => {
    const { chain, log } = await watched(withLongLeaf(length));
    const open = (await chain.demands()).filter(({ answer }) => answer === undefined);
    const { commitment } = withLongLeaf(length);
    const { first } = runOfShard(commitment, 'suffix', AT);
    // Nobody answers, so the shard is lost; what leads there was answered.
    expect(open.map(({ place }) => place)).toEqual([{ tree: SHARD_TREES.suffix, document: 0, chunk: first }]);
    expect(log.filter((line) => /fail|bug/.test(line))).toEqual([]);
  },
);
