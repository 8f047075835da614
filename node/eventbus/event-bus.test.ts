import { describe, expect, test } from 'vitest';
import { NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { utf8 } from '../../core/bytes.ts';
import { ExecTxResult, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import type { EventMessage } from '../events.ts';
import { parseQuery } from '../query.ts';
import { txKey } from '../tx-key.ts';
import { testEvidence } from '../evidence/testing.ts';
import { eventDataJson } from '../rpc/json/event.ts';
import { DEFAULT_EVENT_BUS_CONFIG } from './config.ts';
import { EventBus } from './event-bus.ts';
import { EventPublisher } from './publisher.ts';

const TX_A = utf8('a');

function block(): CommittedBlock {
  const events = [
    { type: 'transfer', attributes: [{ key: 'sender', value: 'x', index: true }] },
    { type: 'transfer', attributes: [{ key: 'sender', value: 'y', index: true }] },
    { type: '', attributes: [{ key: 'k', value: 'v', index: true }] },
  ];
  return {
    height: 4n,
    block: {
      header: Header.create({ height: 4n }),
      txs: [TX_A, utf8('b')],
      evidence: [],
      lastCommit: EMPTY_COMMIT,
    },
    blockId: NIL_BLOCK_ID,
    results: ResponseFinalizeBlock.create({
      events: [{ type: 'mint', attributes: [{ key: 'amount', value: '7', index: false }] }],
      txResults: [ExecTxResult.create({ events }), ExecTxResult.create({ code: 1 })],
      validatorUpdates: [{ pubKey: { ed25519: new Uint8Array(32), secp256k1: undefined }, power: 3n }],
    }),
  };
}

/** A subscriber that takes as many events as it is told to. */
class Subscriber {
  readonly got: EventMessage[] = [];
  readonly reasons: string[] = [];
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  deliver(message: EventMessage): boolean {
    this.got.push(message);
    return this.got.length < this.room;
  }

  cancelled(reason: string): void {
    this.reasons.push(reason);
  }
}

function setUp(bufferMax = 2): { bus: EventBus; publisher: EventPublisher } {
  const bus = new EventBus({ ...DEFAULT_EVENT_BUS_CONFIG, bufferMax, waitersMax: 2 });
  return { bus, publisher: new EventPublisher(bus) };
}

describe('a committed block', () => {
  test("is announced in CometBFT's order", async () => {
    const { bus, publisher } = setUp();
    const all = new Subscriber();
    bus.subscribe('c', parseQuery('tm.event EXISTS'), all);
    await publisher.onCommit(block());
    expect(all.got.map((message) => message.data.type)).toEqual([
      'NewBlock',
      'NewBlockHeader',
      'NewBlockEvents',
      'Tx',
      'Tx',
      'ValidatorSetUpdates',
    ]);
    const tx = all.got[3];
    expect(tx && Object.fromEntries(tx.events)).toEqual({
      'transfer.sender': ['x', 'y'],
      'tm.event': ['Tx'],
      'tx.hash': [txKey(TX_A)],
      'tx.height': ['4'],
    });
  });

  test('with evidence is announced with it, before the transactions', async () => {
    const { bus, publisher } = setUp();
    const all = new Subscriber();
    bus.subscribe('c', parseQuery('tm.event EXISTS'), all);
    const evidence = testEvidence(3n);
    const committed = block();
    await publisher.onCommit({ ...committed, block: { ...committed.block, evidence: [evidence] } });
    expect(all.got.map((message) => message.data.type).slice(2, 5)).toEqual([
      'NewBlockEvents',
      'NewEvidence',
      'Tx',
    ]);
    const data = all.got[3]?.data;
    expect(data && JSON.parse(JSON.stringify(eventDataJson(data)))).toMatchObject({
      type: 'tendermint/event/NewEvidence',
      value: { height: '4', evidence: { type: 'tendermint/DuplicateVoteEvidence' } },
    });
  });

  test.each<[string, number]>([
    ["tm.event='Tx'", 2],
    ["tm.event='Tx' AND transfer.sender='y'", 1],
    [`tx.hash='${txKey(TX_A)}'`, 1],
    ["tm.event='NewBlock' AND mint.amount > 6.5", 1],
    ['mint.amount=7', 2],
    ["tm.event='Tx' AND tx.height < 4", 0],
    ['transfer EXISTS', 1],
    ["tm.event CONTAINS 'NewBlock'", 3],
  ])('%s', async (query, count) => {
    const { bus, publisher } = setUp();
    const subscriber = new Subscriber();
    bus.subscribe('c', parseQuery(query), subscriber);
    await publisher.onCommit(block());
    expect(subscriber.got.length).toBe(count);
  });

  test('is told to who waits for one of its transactions, once', async () => {
    const { bus, publisher } = setUp();
    const first = bus.waitForTx(txKey(TX_A));
    const second = bus.waitForTx('OTHER');
    expect(() => bus.waitForTx('THIRD')).toThrow('max_subscription_clients 2 reached');
    await publisher.onCommit(block());
    expect(await first.committed).toMatchObject({ result: { height: 4n, index: 0 } });
    second.cancel();
    second.cancel();
    first.cancel();
    expect(bus.hasWaiters).toBe(false);
  });
});

describe('a slow subscriber', () => {
  test('gets what was kept when it can take it, in order', async () => {
    const { bus, publisher } = setUp(10);
    const slow = new Subscriber(1);
    const subscription = bus.subscribe('c', parseQuery('tm.event EXISTS'), slow);
    await publisher.onCommit(block());
    expect(slow.got.length).toBe(1);
    slow.room = 4;
    subscription.resume();
    expect(slow.got.length).toBe(4);
    slow.room = 100;
    subscription.resume();
    expect(slow.got.map((message) => message.data.type).slice(3)).toEqual([
      'Tx',
      'Tx',
      'ValidatorSetUpdates',
    ]);
    expect(slow.reasons).toEqual([]);
  });

  test('is cancelled with the count of what it missed; the others go on', async () => {
    const { bus, publisher } = setUp(2);
    const slow = new Subscriber(1);
    const quick = new Subscriber();
    bus.subscribe('slow', parseQuery('tm.event EXISTS'), slow);
    bus.subscribe('quick', parseQuery('tm.event EXISTS'), quick);
    await publisher.onCommit(block());
    expect(slow.reasons).toEqual([
      'internal subscription event buffer is out of capacity; ' +
        '3 events were not delivered, subscribe again and read what was missed',
    ]);
    expect(quick.got.length).toBe(6);
    expect([bus.clientCount(), bus.subscriptionCount('slow')]).toEqual([1, 0]);
  });
});

test('subscriptions are told apart by client and meaning of the query', () => {
  const { bus } = setUp();
  const query = parseQuery("a.b='c'");
  bus.subscribe('one', query, new Subscriber());
  expect(() => bus.subscribe('one', parseQuery("a.b  =  'c'"), new Subscriber())).toThrow(
    'already subscribed',
  );
  bus.subscribe('two', query, new Subscriber());
  expect(() => bus.unsubscribe('one', parseQuery("a.b='d'"))).toThrow('subscription not found');
  bus.unsubscribe('one', query);
  bus.unsubscribeAll('two');
  expect(() => bus.unsubscribeAll('two')).toThrow('subscription not found');
  expect(bus.hasSubscribers).toBe(false);
});

test('votes and steps are announced under the names of CometBFT', () => {
  const { bus, publisher } = setUp();
  const subscriber = new Subscriber();
  bus.subscribe('c', parseQuery("tm.event='NewRoundStep'"), subscriber);
  publisher.step({ height: 2n, round: 1, step: 'prevote' });
  expect(subscriber.got[0]?.data).toEqual({
    type: 'NewRoundStep',
    height: 2n,
    round: 1,
    step: 'RoundStepPrevote',
  });
  bus.stop();
  expect(subscriber.reasons).toEqual(['CometBFT exited']);
});
