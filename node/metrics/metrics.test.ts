import { expect, test } from 'vitest';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { NodeMetrics } from './metrics.ts';
import { MetricsServer } from './server.ts';

const source = {
  consensus: () => ({ height: 8n, round: 1, validators: 4, validatorsPower: 40n }),
  catchingUp: () => false,
  peers: () => 3,
  addresses: () => 12,
  validatorPeers: () => 2,
  network: () => ({
    dials: 5,
    dialsFailed: 2,
    handshakesRefused: 1,
    penalties: 7,
    bans: 4,
    throttled: 6,
    answerBytes: 9,
    answersBrokenOff: 1,
    refused: { 'p2p.full': 2, 'p2p.self': 1 },
    bytesSent: { votes: 10, data: 20 },
    bytesReceived: { votes: 5 },
    messagesDropped: {},
  }),
  applicationMemory: () => ({ stateBytes: 300, historyBytes: 200, decodedTxsBytes: 100 }),
};

function block(height: bigint, seconds: bigint): CommittedBlock {
  const header = Header.create({ height, time: { seconds, nanos: 500_000_000 } });
  const txs = [new Uint8Array(1), new Uint8Array(2)];
  return {
    height,
    block: { header, txs, evidence: [], lastCommit: EMPTY_COMMIT },
    blockId: NIL_BLOCK_ID,
    results: ResponseFinalizeBlock.create({}),
  };
}

test("serves what it reads and what it counted, under CometBFT's names", async () => {
  const metrics = new NodeMetrics(source, { namespace: 'cometbft', chainId: 'c-1', process: false });
  await metrics.onCommit(block(6n, 100n));
  await metrics.onCommit(block(7n, 102n));
  metrics.setSize(5, 500);
  metrics.addTx(300);
  metrics.addRechecks(4);
  const logger = { info: () => {}, error: () => {} };
  const server = new MetricsServer({ metrics, logger }, { host: '127.0.0.1', port: 0 });
  await server.start();
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  for (const line of [
    'cometbft_consensus_height{chain_id="c-1"} 8',
    'cometbft_consensus_rounds{chain_id="c-1"} 1',
    'cometbft_consensus_validators_power{chain_id="c-1"} 40',
    'cometbft_consensus_latest_block_height{chain_id="c-1"} 7',
    'cometbft_consensus_total_txs{chain_id="c-1"} 4',
    'cometbft_consensus_block_interval_seconds_sum{chain_id="c-1"} 2',
    'cometbft_mempool_size{chain_id="c-1"} 5',
    'cometbft_mempool_size_bytes{chain_id="c-1"} 500',
    'cometbft_mempool_recheck_times{chain_id="c-1"} 4',
    'cometbft_p2p_peers{chain_id="c-1"} 3',
    'cometbft_p2p_address_book_size{chain_id="c-1"} 12',
    'cometbft_p2p_validator_peers{chain_id="c-1"} 2',
    'cometbft_p2p_connections_refused_total{chain_id="c-1"} 3',
    'cometbft_p2p_bans_total{chain_id="c-1"} 4',
    'cometbft_p2p_message_send_bytes_total{chain_id="c-1"} 30',
    'cometbft_application_state_bytes{chain_id="c-1"} 300',
    'cometbft_application_history_bytes{chain_id="c-1"} 200',
    'cometbft_application_decoded_txs_bytes{chain_id="c-1"} 100',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect((await fetch(`http://127.0.0.1:${server.port}/other`)).status).toBe(404);
  const second = new MetricsServer({ metrics, logger }, { host: '127.0.0.1', port: server.port });
  await expect(second.start()).rejects.toThrow(/Choose another port/);
  await server.stop();
});
