/** Runs a signer in the foreground. */
import { randomBytes } from 'node:crypto';
import { DecodeError } from '../core/errors.ts';
import { toUpperHex } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { ed25519Signer, verifyEd25519 } from '../node/crypto/ed25519.ts';
import { machine } from '../node/environment.ts';
import { levelPolicy } from '../node/logging/levels.ts';
import { createLogging, type Logger } from '../node/logging/logger.ts';
import { FilePrivValidator } from '../node/privval/file-priv-validator.ts';
import { parseSignerAddress, type SignerAddress } from '../node/privval/remote/address.ts';
import { dialNode } from '../node/privval/remote/dial.ts';
import { SignerServer } from '../node/privval/remote/signer-server.ts';
import type { StopSignal } from './devnet/run.ts';
import { usageError } from './failure.ts';
import { CHAIN_ID_FORM, checkForm } from './forms.ts';
import { readGenesisFile } from './home/genesis-file.ts';
import { signingLockPath } from './home/node-lock.ts';
import { openHome } from './home/open.ts';
import { lockOrRefuse } from './process-lock.ts';
import type { SignerOptions } from './signer.ts';
import type { Terminal } from './terminal.ts';

const LOOPBACK = /^(?:localhost|127\.|::1$)/;
const SEED_BYTES = 32;

/** These keep the process alive while it waits to dial again. */
const timers = {
  after: (delayMs: number, callback: () => void): (() => void) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Dials the node for ever and signs what it may, until it is asked to stop.
 * @throws LedgerError with one sentence when it cannot begin
 */
export async function runSigner(options: SignerOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  const address = addressOf(options.address);
  const { keyPath, statePath, chainId } = filesOf(options);
  checkForm('--chain-id', chainId, CHAIN_ID_FORM);
  const log = logOf(options, terminal);
  const unlock = lockOrRefuse(signingLockPath(statePath), `a signer with the state ${statePath}`);
  try {
    const signer = await FilePrivValidator.open({ keyPath, statePath, makeSigner: machine.makeSigner });
    log.info(
      { validator: toUpperHex(signer.address), chain: chainId, address: options.address },
      'the signer has started',
    );
    warnOfStrangers(address, log);
    const identity = ed25519Signer(sha256(randomBytes(SEED_BYTES)));
    const dial = (): ReturnType<typeof dialNode> =>
      dialNode({ identity, verify: verifyEd25519, timers }, address);
    const server = new SignerServer({ signer, dial, timers, random: Math.random, log }, chainId);
    void stop.requested.then(() => server.stop());
    await server.run();
    log.info({}, 'stopped');
  } finally {
    unlock();
  }
}

function addressOf(text: string): SignerAddress {
  try {
    return parseSignerAddress(text);
  } catch (error) {
    if (error instanceof DecodeError) throw usageError(`--address: ${error.message}`);
    throw error;
  }
}

function logOf({ logLevel, logFormat }: SignerOptions, terminal: Terminal): Logger {
  if (logFormat !== 'plain' && logFormat !== 'json') throw usageError('--log-format must be plain or json');
  return createLogging({
    format: logFormat,
    policy: levelPolicy(logLevel),
    write: terminal.out,
    now: Date.now,
  })('signer');
}

function filesOf({ home, key, state, chainId }: SignerOptions): {
  readonly keyPath: string;
  readonly statePath: string;
  readonly chainId: string;
} {
  if (home === undefined) {
    if (chainId === undefined) throw usageError('--chain-id is needed: a signer signs for one chain only');
    return { keyPath: key ?? '', statePath: state ?? '', chainId };
  }
  const { paths } = openHome(home);
  return {
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    chainId: chainId ?? readGenesisFile(paths.genesisFile).document.chainId,
  };
}

/** Whoever can stand between signer and node can ask for signatures, and so use up the heights. */
function warnOfStrangers(address: SignerAddress, log: Logger): void {
  if (address.kind === 'unix' || address.nodeId !== undefined || LOOPBACK.test(address.host)) return;
  log.warn(
    { host: address.host },
    'any node there can ask for signatures; name it: tcp://<node id>@host:port',
  );
}
