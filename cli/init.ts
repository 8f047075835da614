/** `openledgerd init`: makes the home of a node. */
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_CHAIN_ID, defaultHome } from './defaults.ts';
import type { Terminal } from './terminal.ts';

interface InitOptions {
  readonly home: string;
  readonly chainId?: string;
  readonly genesis?: string;
  readonly persistentPeers?: string;
  readonly rpcLaddr?: string;
  readonly p2pLaddr?: string;
  readonly minimumGasPrices?: string;
  readonly account: readonly string[];
  readonly keyType: string;
  readonly defaultDenom?: string;
}

/** Adds the command. */
export function addInitCommand(program: Command, terminal: Terminal): void {
  program
    .command('init [moniker]')
    .description('make a node: configuration, keys, genesis')
    .option('--home <dir>', 'where the node lives', defaultHome())
    .option(
      '--genesis <file>',
      'join the chain of this genesis (default: begin a chain of which this node is the validator)',
    )
    .option('--chain-id <id>', 'chain id of a new chain; with --genesis, what its chain id must be')
    .option('--key-type <type>', 'kind of the validator key: ed25519 or secp256k1', 'ed25519')
    .option('--default-denom <denom>', 'what is staked on a new chain, such as uopen (default: stake)')
    .option('--persistent-peers <list>', 'peers to stay connected to, comma-separated')
    .option('--rpc-laddr <address>', 'where RPC listens, such as tcp://127.0.0.1:26657')
    .option('--p2p-laddr <address>', 'where peers connect, such as tcp://0.0.0.0:26656')
    .option('--minimum-gas-prices <coins>', 'the least fee per gas that this node takes, such as 0.0025uopen')
    .option(
      '--account <address=coins>',
      'an account of a new chain, such as open1…=1000000uopen; repeatable',
      collect,
      [],
    )
    .action(async (moniker: string | undefined, options: InitOptions) => {
      const { initNode } = await import('./home/init-node.ts');
      const made = await initNode({
        ...options,
        moniker: moniker ?? 'node',
        newChainId: DEFAULT_CHAIN_ID,
        now: new Date(),
      });
      terminal.out(`${JSON.stringify(made, undefined, 2)}\n`);
    });
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  if (!/^[^=]+=\d+[a-zA-Z]/.test(value)) {
    throw new InvalidArgumentError('It must be an address and coins, such as open1…=1000000uopen.');
  }
  return [...earlier, value];
}
