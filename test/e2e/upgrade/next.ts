/** The next release of `openledgerd`, as far as this test needs it: `next.ts start --home <dir>`. */
import { parseArgs } from 'node:util';
import { UPGRADES } from '../../../app/upgrades.ts';
import { failureText } from '../../../cli/failure.ts';
import { resolveModulesQuickly } from '../../../cli/quick-resolve.ts';
import { runNode } from '../../../cli/run-node.ts';
import { processStopSignal } from '../../../cli/stop-signal.ts';
import { processTerminal } from '../../../cli/terminal.ts';
import { NOTES, UPGRADE } from './notes.ts';

resolveModulesQuickly();
const { values } = parseArgs({ allowPositionals: true, options: { home: { type: 'string', default: '' } } });
const release = { upgrades: [...UPGRADES, UPGRADE], furtherModules: [NOTES] };
try {
  await runNode({ home: values.home, release }, processTerminal(), processStopSignal());
} catch (error) {
  process.stderr.write(failureText(error, false));
  process.exitCode = 1;
}
process.exit();
