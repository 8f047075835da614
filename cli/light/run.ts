/** Runs the verifying proxy in the foreground. */
import { levelPolicy } from '../../node/logging/levels.ts';
import { createLogging } from '../../node/logging/logger.ts';
import type { StopSignal } from '../devnet/run.ts';
import type { Terminal } from '../terminal.ts';
import type { CommandSettings } from './command.ts';
import { startLightProxy } from './proxy.ts';

/** What the command was given. */
export interface LightRun {
  readonly settings: CommandSettings;
  readonly logLevel: string;
  /** Do not ask before verified blocks are forgotten. */
  readonly yes: boolean;
}

/** Serves until it is asked to stop. */
export async function runLight(run: LightRun, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  const logging = createLogging({
    format: 'plain',
    policy: levelPolicy(run.logLevel),
    write: (line) => terminal.note(line.trimEnd()),
    now: Date.now,
  });
  const proxy = await startLightProxy({
    ...run.settings,
    logger: logging('light'),
    confirm: async (question) =>
      run.yes || /^y(es)?$/i.test((await terminal.ask(`${question} [y/N] `)).trim()),
  });
  terminal.out(`${proxy.url} serves ${run.settings.chainId}, verified\n`);
  await stop.requested;
  await proxy.stop();
}
