/** `openledgerd start` */
import { type Command, Option } from 'commander';
import type { ApplicationOptions } from './application.ts';
import { toldToStart } from './child-messages.ts';
import { defaultHome } from './defaults.ts';
import { usageError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Settings of `config.toml` that an option replaces for one run. */
export interface StartOptions {
  readonly home: string;
  readonly rpcLaddr?: string;
  readonly p2pLaddr?: string;
  readonly persistentPeers?: string;
  readonly minimumGasPrices?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly unsafeSkipUpgrades?: readonly bigint[];
  /** What a program has beyond this one; no option of the command. */
  readonly release?: Pick<ApplicationOptions, 'upgrades' | 'furtherModules'>;
}

/** Adds the command. */
export function addStartCommand(program: Command, terminal: Terminal): void {
  program
    .command('start')
    .description('run a node; SIGTERM or Ctrl-C stops it')
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--rpc-laddr <address>', 'instead of rpc.laddr in config.toml')
    .option('--p2p-laddr <address>', 'instead of p2p.laddr')
    .option('--persistent-peers <list>', 'instead of p2p.persistent_peers')
    .addOption(new Option('--rpc.laddr <address>', "CometBFT's spelling").hideHelp())
    .addOption(new Option('--p2p.laddr <address>', "CometBFT's spelling").hideHelp())
    .addOption(new Option('--p2p.persistent_peers <list>', "CometBFT's spelling").hideHelp())
    .option('--minimum-gas-prices <coins>', 'instead of minimum-gas-prices in app.toml')
    .option('--log-level <level>', 'instead of log_level')
    .addOption(new Option('--log-format <format>', 'instead of log_format').choices(['plain', 'json']))
    .option(
      '--unsafe-skip-upgrades <heights>',
      'go on past the upgrades of these heights without them',
      heights,
    )
    .addOption(new Option('--await-supervisor', 'load all, then wait for its word').hideHelp())
    .action(async ({ awaitSupervisor, ...given }: StartOptions & CometOptions & HiddenOptions) => {
      const told = awaitSupervisor === true ? toldToStart() : undefined;
      const { loadNode, runNode } = await import('./run-node.ts');
      const { processStopSignal } = await import('./stop-signal.ts');
      if (told !== undefined) {
        await loadNode();
        if (!(await told)) return;
      }
      await runNode(withCometSpelling(given), terminal, processStopSignal());
    });
}

/** What a supervisor says. */
interface HiddenOptions {
  readonly awaitSupervisor?: boolean;
}

/** Options as operators of CometBFT nodes have them in their scripts. */
interface CometOptions {
  readonly 'rpc.laddr'?: string;
  readonly 'p2p.laddr'?: string;
  readonly 'p2p.persistent_peers'?: string;
}

function withCometSpelling(given: StartOptions & CometOptions): StartOptions {
  const rpcLaddr = given.rpcLaddr ?? given['rpc.laddr'];
  const p2pLaddr = given.p2pLaddr ?? given['p2p.laddr'];
  const persistentPeers = given.persistentPeers ?? given['p2p.persistent_peers'];
  return {
    ...given,
    ...(rpcLaddr === undefined ? {} : { rpcLaddr }),
    ...(p2pLaddr === undefined ? {} : { p2pLaddr }),
    ...(persistentPeers === undefined ? {} : { persistentPeers }),
  };
}

/** Heights between commas; given again, they add up. */
function heights(text: string, before: readonly bigint[] = []): readonly bigint[] {
  const given = text.split(',').map((part) => {
    if (!/^ *[1-9][0-9]{0,18} *$/.test(part)) throw usageError(`--unsafe-skip-upgrades ${part} is no height`);
    return BigInt(part);
  });
  return [...before, ...given];
}
