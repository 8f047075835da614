/** What a devnet prints: a table and a progress line for people, or one JSON object a line for programs. */
import type { BlockMessage } from '../child-messages.ts';
import type { Terminal } from '../terminal.ts';
import type { DevnetRecord } from './record.ts';

/** What is told while a devnet runs. */
export interface DevnetView {
  /** All nodes answer. */
  ready(record: DevnetRecord): void;
  block(block: BlockMessage, nodes: NodesState): void;
  /** A node ended while the devnet goes on. */
  exited(moniker: string, how: string, home: string): void;
  stopping(): void;
  /** With the nodes that still run because somebody started them again by hand. */
  stopped(left: readonly LeftNode[]): void;
}

/** Which nodes run, and which the supervisor has lost. */
export interface NodesState {
  readonly all: number;
  /** Monikers of nodes that have ended. */
  readonly down: readonly string[];
  /** Monikers of nodes that ended and were started again by hand: not the supervisor's any more. */
  readonly byHand: readonly string[];
}

/** A node of the devnet that the supervisor did not start and does not stop. */
export interface LeftNode {
  readonly moniker: string;
  readonly pid: number;
}

/** Blocks over which the block time is averaged. */
const AVERAGE_BLOCKS = 20;
const ERASE_LINE = '\r\u001b[K';

/** One JSON object a line on standard output. */
export function jsonView(terminal: Terminal): DevnetView {
  const line = (value: unknown): void => terminal.out(`${JSON.stringify(value)}\n`);
  return {
    ready: ({ chain_id, prefix, denom, nodes, accounts }) =>
      line({ event: 'ready', chain_id, prefix, denom, nodes, accounts }),
    block: (block) => line(block),
    exited: (moniker, how) => line({ event: 'exit', moniker, how }),
    stopping: () => undefined,
    stopped: (left) => {
      for (const { moniker, pid } of left) line({ event: 'left', moniker, pid });
    },
  };
}

/**
 * A table, then one line that is redrawn with each block (or, without a terminal, a line for each block).
 * Blocks of before `startedMs` (Unix milliseconds) do not count for the block time: the devnet was away
 * after them.
 */
export function humanView(terminal: Terminal, home: string, startedMs: number): DevnetView {
  const progress = new Progress(startedMs);
  let drawn = false;
  const clear = (): string => {
    const erase = drawn ? ERASE_LINE : '';
    drawn = false;
    return erase;
  };
  return {
    ready: (record) => terminal.out(`${describe(record, home, terminal.columns ?? Infinity)}\n`),
    block: (block, nodes) => {
      const line = progress.line(block, nodes);
      // A line that wraps cannot be redrawn.
      if (terminal.interactive)
        terminal.out(`${ERASE_LINE}${line.slice(0, (terminal.columns ?? Infinity) - 1)}`);
      else terminal.out(`${line}\n`);
      drawn = terminal.interactive;
    },
    exited: (moniker, how, nodeHome) =>
      terminal.out(
        `${clear()}${moniker} stopped (${how}); start it again with: npm run openledgerd -- start --home ${nodeHome}\n`,
      ),
    stopping: () => terminal.out(`${drawn ? '\n' : ''}stopping…\n`),
    stopped: (left) => {
      for (const { moniker, pid } of left)
        terminal.out(
          `${moniker} was started by hand and still runs (process ${pid}); stop it with: kill ${pid}\n`,
        );
      terminal.out(`stopped; the same command continues the chain, with --reset it starts afresh\n`);
    },
  };
}

class Progress {
  #times: number[] = [];
  #transactions = 0;
  readonly #startedMs: number;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  line(block: BlockMessage, nodes: NodesState): string {
    this.#transactions += block.txs;
    const time = Date.parse(block.time);
    if (time > this.#startedMs) this.#times = [...this.#times, time].slice(-AVERAGE_BLOCKS);
    const first = this.#times[0] ?? 0;
    const last = this.#times.at(-1) ?? 0;
    const parts = [`block ${block.height}`];
    if (this.#times.length > 1)
      parts.push(`${((last - first) / (this.#times.length - 1) / 1000).toFixed(2)} s/block`);
    const failed = block.failed === 0 ? '' : `, ${block.failed} failed`;
    parts.push(`${block.txs} tx${failed} (${this.#transactions} in all)`);
    parts.push(nodesText(nodes), `app hash ${block.app_hash.slice(0, 12).toLowerCase()}…`);
    return parts.join(' · ');
  }
}

/** `3/4 nodes (node2 down)`; those that were started by hand count as running. */
function nodesText({ all, down, byHand }: NodesState): string {
  const notes = [
    ...(down.length === 0 ? [] : [`${down.join(', ')} down`]),
    ...(byHand.length === 0 ? [] : [`${byHand.join(', ')} by hand`]),
  ];
  return `${all - down.length}/${all} nodes${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

function describe(record: DevnetRecord, home: string, columns: number): string {
  const { nodes, accounts } = record;
  return [
    `Devnet "${record.chain_id}" in ${home} (addresses ${record.prefix}1…, denom ${record.denom})`,
    '',
    ...nodeTable(nodes, columns),
    '',
    ...accountTable(accounts, columns),
    '',
    'Ctrl-C stops all nodes.',
  ].join('\n');
}

/** One table, or two where the terminal is too narrow for one. */
function nodeTable(nodes: DevnetRecord['nodes'], columns: number): readonly string[] {
  const rows = nodes.map((node) => [node.moniker, node.rpc, String(node.pid), shortPeer(node.p2p)]);
  const all = table(['node', 'RPC', 'pid', 'peers'], rows);
  if (fits(all, columns)) return all;
  const places = rows.map((row) => row.slice(0, 3));
  const peers = rows.map((row) => [row[0] ?? '', row[3] ?? '']);
  return [...table(['node', 'RPC', 'pid'], places), '', ...table(['node', 'peers'], peers)];
}

/** Mnemonics in the table, or each in a line of its own where the terminal is too narrow. */
function accountTable(accounts: DevnetRecord['accounts'], columns: number): readonly string[] {
  const rows = accounts.map((account) => [account.name, account.address, account.mnemonic]);
  const all = table(['account', 'address', 'mnemonic (for development only)'], rows);
  if (fits(all, columns)) return all;
  const lines = table(
    ['account', 'address, then mnemonic (for development only)'],
    rows.map((row) => row.slice(0, 2)),
  );
  return lines.flatMap((line, i) => [line, ...(rows[i - 1]?.slice(2) ?? [])]);
}

function fits(lines: readonly string[], columns: number): boolean {
  return lines.every((line) => line.length <= columns);
}

/** `12D3Koo…@127.0.0.1:26656` for the multiaddr `/ip4/127.0.0.1/tcp/26656/p2p/12D3Koo…`: both name a peer. */
function shortPeer(multiaddr: string): string {
  const [, , host, , port, , id] = multiaddr.split('/');
  return id === undefined ? multiaddr : `${id}@${host}:${port}`;
}

/** Left-aligned columns, two spaces apart. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
