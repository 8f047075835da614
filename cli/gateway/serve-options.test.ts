import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { GatewayBounds } from './daemon.ts';
import { boundsOf, type ServeOptions, withServeOptions } from './serve-options.ts';

async function bounds(...given: readonly string[]): Promise<GatewayBounds> {
  const command = withServeOptions(new Command()).exitOverride();
  command.parse(['--model', '1', '2', '--backend', 'model', '--from', 'gateway', ...given], { from: 'user' });
  return await boundsOf(command.opts<ServeOptions>());
}

test('rounds of which receipts were lost are stated only when it is asked for', async () => {
  expect((await bounds()).stateUncovered).toBe(false);
  expect((await bounds('--state-uncovered')).stateUncovered).toBe(true);
});

test('every bound is that of its own option', async () => {
  const given = {
    ...{
      '--listen': 'tcp://127.0.0.1:9',
      '--bytes-per-token': '3',
      '--ahead-tokens': '5',
      '--patience': '7',
    },
    ...{ '--timeout': '11', '--concurrency': '13', '--connections-per-address': '17', '--claim-min': '19' },
    ...{ '--settle-min': '23', '--unclaimed-max': '29' },
  };
  expect(await bounds(...Object.entries(given).flat())).toEqual({
    ...{ host: '127.0.0.1', port: 9, models: [1n, 2n], backend: 'model', bytesPerToken: 3, tokensAhead: 5 },
    ...{ patienceSeconds: 7, timeoutSeconds: 11, requestsMax: 13, connectionsPerAddressMax: 17 },
    ...{ claimMin: 19n, settleMin: 23n, stateUncovered: false, unclaimedMax: 29n },
  });
});

test.each([
  ['--model', 'x'],
  ['--model', '0'],
  ['--bytes-per-token', '0'],
  ['--ahead-tokens', '65537'],
  ['--patience', '601'],
  ['--timeout', '0'],
  ['--concurrency', '1025'],
  ['--connections-per-address', '0'],
  ['--claim-min', '0'],
  ['--settle-min', '0'],
  ['--unclaimed-max', '0'],
])('%s of %s is refused by name', async (option, value) => {
  const refused = bounds(option, value);
  await expect(refused).rejects.toMatchObject({ code: 'cli.usage' });
  await expect(refused).rejects.toThrow(option);
});
