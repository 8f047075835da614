import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of datanet. Numbers are never reused. */
export const datanetErrors: Readonly<
  Record<
    | 'invalidDatanet'
    | 'slugTaken'
    | 'unknownDatanet'
    | 'notOwner'
    | 'admissionNotSupported'
    | 'notAdmitted'
    | 'invalidContribution'
    | 'duplicateContent'
    | 'unknownContribution'
    | 'unknownSnapshot'
    | 'nothingToPublish'
    | 'invalidAllowList'
    | 'notContributor'
    | 'notAccepted',
    ErrorKind
  >
> = {
  invalidDatanet: kind(2, 'invalid datanet'),
  slugTaken: kind(3, 'slug is taken'),
  unknownDatanet: kind(4, 'unknown datanet'),
  notOwner: kind(5, 'not the owner of the datanet'),
  admissionNotSupported: kind(6, 'admission mode is not supported'),
  notAdmitted: kind(7, 'not admitted to the datanet'),
  invalidContribution: kind(8, 'invalid contribution'),
  duplicateContent: kind(9, 'content was contributed before'),
  unknownContribution: kind(10, 'unknown contribution'),
  unknownSnapshot: kind(11, 'unknown snapshot'),
  nothingToPublish: kind(12, 'nothing to publish'),
  invalidAllowList: kind(13, 'invalid allow-list'),
  notContributor: kind(14, 'not the contributor'),
  notAccepted: kind(15, 'contribution is not accepted'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'datanet', code, description };
}
