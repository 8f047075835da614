import { expect, test } from 'vitest';
import type { EventMessage } from '../../events.ts';
import { DEFAULT_RPC_CONFIG } from '../config.ts';
import { Dispatcher } from '../dispatcher.ts';
import type { EventSource, RpcPorts } from '../ports.ts';
import { subscriptionMethods } from './subscriptions.ts';

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const EVENT: EventMessage = {
  data: { type: 'NewRoundStep', height: 1n, round: 0, step: 'RoundStepPropose' },
  events: new Map([['tm.event', ['NewRoundStep']]]),
};

test('no event comes before the acknowledgement', async () => {
  const events: Partial<EventSource> = {
    clientCount: () => 0,
    subscriptionCount: () => 0,
    subscribe: (_client, _query, sink) => {
      sink.deliver(EVENT);
      queueMicrotask(() => sink.deliver(EVENT));
      return { resume: () => {} };
    },
  };
  const ports: Partial<RpcPorts> = { events: events as EventSource, logger };
  const dispatcher = new Dispatcher({
    methods: subscriptionMethods(ports as RpcPorts, DEFAULT_RPC_CONFIG),
    logger,
  });
  const sent: string[] = [];
  const connection = {
    client: 'c',
    send: (text: string) => sent.push(text) > 0,
    onDrain: () => {},
  };
  const request = { id: '7', method: 'subscribe', params: ["tm.event='NewRoundStep'"] };
  const { text } = await dispatcher.answerRequest(request, { remote: 'c', connection, id: '7' });
  sent.push(text);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent.length).toBe(3);
  expect(sent[0]).toBe('{"jsonrpc":"2.0","id":7,"result":{}}');
  expect(sent[1]).toContain('RoundStepPropose');
});
