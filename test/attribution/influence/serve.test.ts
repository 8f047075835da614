/** Cards and claims over HTTP: from a server that holds a head to a watcher that judges what was published. */
import { afterEach, describe, expect, test } from 'vitest';
import { hessianOf } from '../../../attest/influence/hessian.ts';
import { headOfCard } from '../../../attest/influence/served-head.ts';
import type { OpenRequest } from '../../../attest/serve/answer-ports.ts';
import { Answerer } from '../../../attest/serve/answerer.ts';
import { takingChain } from '../../../attest/serve/testing/answer-chain.ts';
import { HeadLibrary } from '../../../attest/serve/head-library.ts';
import { orderOf } from '../../../attest/serve/order.ts';
import { attestService } from '../../../attest/serve/service.ts';
import { smallChain, smallLibrary } from '../../../attest/serve/testing/library.ts';
import { httpPublishers } from '../../../attest/watch/http-publisher.ts';
import { judgeCard } from '../../../attest/watch/judge-card.ts';
import { judgeInfluence } from '../../../attest/watch/judge-influence.ts';
import type { InfluenceSource } from '../../../attest/watch/ports.ts';
import { toHex, utf8 } from '../../../core/bytes.ts';
import { cardId } from '../../../modules/attribution/proof/influence/card.ts';
import { claimId, encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { isPiece, treesOfCard, treesOfClaim } from '../../../modules/attribution/proof/influence/pieces.ts';
import { smallHead, wrongCard } from '../../support/head-world.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const contributionIds = [1n, 2n, 3n];
const chain = { holds: (_datanet: bigint, _count: bigint, id: bigint) => contributionIds.includes(id) };

async function serve(heads: HeadLibrary, piecesMax = 1024): Promise<string> {
  const logger = { info: () => undefined, warn: () => undefined };
  const parts = { library: smallLibrary(), heads, chain: smallChain(), logger };
  const { server } = attestService(parts, { host: '127.0.0.1', port: 0, limits: { piecesMax } });
  await server.start();
  stops.push(() => server.stop());
  return server.url;
}

const open = httpPublishers({ timeMs: 5000, retries: 0 });

describe.each(['head', 'adapter'] as const)('%s', (kind) => {
  const { card, claim } = smallHead({ datanetId: 1n, snapshotCount: 3n, contributionIds, kind });
  const statement = encodeClaim(claim.claim);
  const cardKey = toHex(cardId(card.card));
  const claimKey = toHex(claimId(claim.claim));

  test('a watcher judges a card from what its publisher serves', async () => {
    const wrong = wrongCard(card);
    const publisher = open(await serve(new HeadLibrary([card, wrong])));
    const judge = (served: typeof card) =>
      judgeCard({ card: served.card, chain, publishers: [publisher], demands: [] });
    expect((await judge(card)).kind).toBe('right');
    expect(await judge(wrong)).toMatchObject({ kind: 'wrong', rule: 'bound' });
  });

  test('claims are served from their statements, also by a server that did not make them, while they are pending', async () => {
    const heads = new HeadLibrary([card]);
    const publisher = open(await serve(heads));
    const leavesOf = (tree: InfluenceSource['tree'], node?: number) =>
      publisher.influenceLeaves(
        { of: 'claims', key: claimKey, tree, node, leafBytesMax: 500 },
        { from: 1, count: 9 },
      );
    expect(await leavesOf('effects')).toBeUndefined();
    heads.expect([statement]);
    expect(await leavesOf('effects')).toEqual(claim.effects.leaves.slice(1, 10));
    expect(await leavesOf('solution')).toEqual(claim.solution.leaves.slice(1));
    expect(await leavesOf('sums')).toEqual(claim.sums.leaves.slice(1, 10));
    heads.expect([]);
    expect([heads.claims, await leavesOf('effects')]).toEqual([0, undefined]);
    // Other roots behind the same query: made in another way than here.
    const other = { ...claim.claim, roots: { ...claim.claim.roots, sums: new Uint8Array(32) } };
    heads.expect([encodeClaim(other)]);
    expect([heads.claims, await heads.claim(toHex(claimId(other)))]).toEqual([1, undefined]);
  });

  test('no more pending claims are known than the bound', () => {
    const heads = new HeadLibrary([card]);
    const statements = Array.from({ length: 4097 }, (_, total) => encodeClaim({ ...claim.claim, total }));
    heads.expect(statements);
    expect(heads.claims).toBe(4096);
  });

  test('a model that is served is asked with what its card takes', async () => {
    const heads = new HeadLibrary([card]);
    const { query } = claim.claim;
    const features = query.features.slice(0, -1);
    const { offsets } = query;
    const said = await heads.ask(cardKey, { features, offsets, label: query.label });
    expect(said && encodeClaim(said)).toEqual(statement);
    const other = kind === 'head' ? [1, 2] : [1, 2, 3];
    const words = kind === 'head' ? '2 offsets; this card takes 0' : '3 offsets; this card takes 2';
    await expect(heads.ask(cardKey, { features, offsets: other })).rejects.toThrow(words);
    if (kind === 'adapter')
      await expect(heads.ask(cardKey, { features })).rejects.toThrow('0 offsets; this card takes 2');
    const answered = (await heads.ask(cardKey, { features, offsets }))?.query;
    expect(answered?.logits).toEqual(query.logits);
  });

  test('a claim whose solution a watcher cannot compute is judged by what is served', async () => {
    const heads = new HeadLibrary([card]);
    heads.expect([statement]);
    const publishers = [open(await serve(heads))];
    const head = headOfCard(card);
    const unable = { served: card, head, factors: undefined };
    expect(await judgeInfluence({ claim: claim.claim, card: unable, publishers, demands: [] })).toEqual({
      kind: 'right',
    });
    const alone = await judgeInfluence({ claim: claim.claim, card: unable, publishers: [], demands: [] });
    expect(alone).toMatchObject({
      kind: 'unavailable',
      demands: ['solution', 'effects'].map((tree) => ({ tree, leaf: 0 })),
    });
    const able = { ...unable, factors: hessianOf(head) };
    expect(await judgeInfluence({ claim: claim.claim, card: able, publishers: [], demands: [] })).toEqual({
      kind: 'right',
    });
  });

  test('what is wrong with a question is said, and no more pieces are given than the limit', async () => {
    const url = await serve(new HeadLibrary([card]), 4);
    const ask = async (path: string) => {
      const response = await fetch(`${url}/v1/${path}`);
      return [response.status, response.status === 200 ? '' : await response.text()] as const;
    };
    expect(await (await fetch(`${url}/v1/cards`)).json()).toMatchObject({
      cards: [{ id: cardKey, examples: 18 }],
    });
    expect(await (await fetch(`${url}/v1/health`)).json()).toMatchObject({ cards: 1 });
    expect((await ask(`cards/${cardKey}/leaves/examples?count=4`))[0]).toBe(200);
    const refused: readonly (readonly [string, number, string])[] = [
      [`cards/${cardKey}/leaves/examples?count=5`, 400, 'ask for 1 to 4'],
      [`cards/${cardKey}/leaves/examples?from=18`, 400, 'there are 18'],
      [`cards/${cardKey}/leaves/effects`, 400, 'there is no tree \\"effects\\"'],
      [`cards/${cardKey}/leaves/constructor`, 400, 'there is no tree'],
      [`cards/${cardKey}/coordinates/99`, 400, 'nodes 0 to'],
      [`cards/${cardKey}/coordinates/x`, 400, 'nodes 0 to'],
      ['cards/ff/leaves/examples', 404, 'no model card ff'],
      [`claims/${claimKey}/leaves/effects`, 404, 'not pending on a card'],
    ];
    for (const [path, status, words] of refused) {
      const [found, text] = await ask(path);
      expect(found, path).toBe(status);
      expect(text).toContain(words);
    }
  });

  test('requests on the chain about cards and claims are answered with what the chain checks', async () => {
    const heads = new HeadLibrary([card]);
    heads.expect([statement]);
    const asked: readonly Pick<OpenRequest, 'of' | 'key' | 'place'>[] = [
      { of: 'card', key: cardKey, place: { tree: 17, document: 0, chunk: 3 } },
      { of: 'card', key: cardKey, place: { tree: 20, document: 2, chunk: 0 } },
      { of: 'claim', key: claimKey, place: { tree: 22, document: 0, chunk: 1 } },
      { of: 'claim', key: claimKey, place: { tree: 20, document: 1, chunk: 0 } },
      { of: 'claim', key: 'ff', place: { tree: 22, document: 0, chunk: 0 } },
    ];
    const chain = takingChain(() => asked.map((one, i) => ({ ...one, id: BigInt(i), deadline: BigInt(i) })));
    const counted: string[] = [];
    const answerer = new Answerer({
      chain,
      library: smallLibrary(),
      heads,
      metrics: { chunkRequest: (outcome) => void counted.push(outcome) },
      logger: { info: () => undefined, warn: () => undefined },
    });
    await answerer.round();
    expect(counted).toEqual(['foreign', 'answered', 'answered', 'answered', 'answered']);
    expect(chain.taken).toHaveLength(4);
    const names = new Map<number, InfluenceSource['tree']>([
      [17, 'examples'],
      [20, 'coordinates'],
      [22, 'solution'],
    ]);
    for (const [i, { piece }] of chain.taken.entries()) {
      const { of, place } = asked[i] ?? { of: 'card', place: { tree: 0, document: 0, chunk: 0 } };
      const trees = of === 'card' ? treesOfCard(card.card) : treesOfClaim(card.card, claim.claim.roots);
      const at = { tree: names.get(place.tree) ?? 'sums', node: place.document, leaf: place.chunk };
      const opened = { node: new Uint8Array(0), nodeHashes: [], ...piece };
      expect(isPiece(trees, at, opened), `${i}`).toBe(true);
    }
  });
});

test('a request names features, and offsets as logits', () => {
  const order = (influence: unknown) => {
    const body = { model_id: '1', text: 'class 1', influence };
    return orderOf(utf8(JSON.stringify(body))).influence;
  };
  expect(order({ features: [1, 2] })).toEqual({ features: Uint8Array.of(1, 2) });
  expect(order({ features: [1], offsets: [-0.5, 127.5] })).toEqual({
    features: Uint8Array.of(1),
    offsets: [-(2 ** 23), 127.5 * 2 ** 24],
  });
  for (const offsets of [[], [128], ['1'], '1', null, {}])
    expect(() => order({ features: [1], offsets })).toThrow('offsets must be a list of logits');
});
