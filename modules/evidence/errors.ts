import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of evidence, numbered as x/evidence numbers them. */
export const evidenceErrors: Readonly<Record<'noHandler' | 'invalidEvidence' | 'evidenceExists', ErrorKind>> =
  {
    noHandler: { codespace: 'evidence', code: 2, description: 'unregistered handler for evidence type' },
    invalidEvidence: { codespace: 'evidence', code: 3, description: 'invalid evidence' },
    evidenceExists: { codespace: 'evidence', code: 5, description: 'evidence already exists' },
  };
