/** The first byte of a card and of a claim: whether what follows has what only adapters have. */
import { DecodeError } from '../../../../core/errors.ts';
import type { ModelKind } from './bounds.ts';

/** Forms, by kind of model. */
export const MODEL_FORMS: Readonly<Record<ModelKind, number>> = { head: 1, adapter: 2 };

/** @throws DecodeError for a form that there is not; `what` is read */
export function kindOfForm(form: number, what: string): ModelKind {
  if (form === MODEL_FORMS.head) return 'head';
  if (form === MODEL_FORMS.adapter) return 'adapter';
  throw new DecodeError(`${what} of form ${form}; 1 (head) and 2 (adapter) are known`, { form });
}
