import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { saltSecrets } from './salt-secrets.ts';

test('a secret is that of the shard, or of its Datanet; what cannot be read is said', () => {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  file('seven', 'a secret of Datanet seven');
  const nine = file('nine', 'a secret of one shard of it');
  const list = file('list', `# ours\n\ndatanet 7 seven\n shard 9 ${nine} \n`);
  const secretOf = saltSecrets(list);
  const shard = (id: bigint, datanetId: bigint) =>
    secretOf({
      id,
      publisher: '',
      endpoints: [],
      dueHeight: 9n,
      commitment: ShardCommitment.create({ datanetId }),
    });
  expect(shard(1n, 7n)).toEqual(Buffer.from(utf8('a secret of Datanet seven')));
  expect(shard(9n, 7n)).toEqual(Buffer.from(utf8('a secret of one shard of it')));
  expect(shard(1n, 8n)).toBeUndefined();
  expect(() => saltSecrets(file('bad', 'datanet 7 seven\nmodel 1 seven'))).toThrow(
    /line 2 .* is not "datanet/,
  );
  expect(() => saltSecrets(file('short', 'datanet 7 tiny'))).toThrow(/cannot be read/);
  expect(() => saltSecrets(join(folder, 'none'))).toThrow(/--salt-secrets: .* cannot be read/);
});
