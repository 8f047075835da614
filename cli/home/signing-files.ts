/** The files of a home's validator, looked at before the node is loaded that signs with them. */
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { secp256k1Signer } from '../../node/crypto/secp256k1.ts';
import type { ConfiguredPaths } from '../../node/config/home.ts';
import { machineFiles } from '../../node/privval/durable-file.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';

/**
 * Opens key and signing state as the node will do it later, and forgets them.
 * @throws LedgerError `privval.key_file`, `privval.state_file`
 */
export async function checkSigningFiles(paths: ConfiguredPaths): Promise<void> {
  await FilePrivValidator.open({
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner: (secret, type) => (type === 'ed25519' ? ed25519Signer(secret) : secp256k1Signer(secret)),
    files: machineFiles,
  });
}
