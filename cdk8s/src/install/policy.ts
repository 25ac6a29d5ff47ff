// What the schema cannot see, because it is asked of objects that are written and not of those that are deleted: a ChatCluster whose volumes go
// with it is deleted only with a word of confirmation. A rule of the API server, no webhook: nothing has to run for it.
import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import { CONFIRM_DELETE_ANNOTATION, GROUP, PLURAL, storedParts } from '@parley/operator-api';

const NAME = `confirm-delete.${PLURAL}.${GROUP}`;
const API = 'admissionregistration.k8s.io/v1';

/** They delete what a person has deleted already, a namespace or an owner: refused, that would never end. */
const CONTROLLERS = [
  'system:kube-controller-manager',
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:serviceaccount:kube-system:namespace-controller',
];

/** The parts whose volumes go, as a list of their names. */
const deleted = storedParts
  .map((part) => {
    const field = (path: string, otherwise: string) => `oldObject.?spec.?${part}.${path}.orValue('${otherwise}')`;
    return `(${field('?mode', 'builtin')} == 'builtin' && ${field('?storage.?whenDeleted', 'Retain')} == 'Delete' ? ['${part}'] : [])`;
  })
  .join(' + ');
const confirmed = `oldObject.metadata.?annotations[?'${CONFIRM_DELETE_ANNOTATION}'].orValue('') == oldObject.metadata.name`;
const message = [
  `'the volumes of ' + variables.deleted.join(', ') + ' have whenDeleted: Delete, so their data would go with the ChatCluster. `,
  `To delete both: kubectl -n ' + oldObject.metadata.namespace + ' annotate chatcluster ' + oldObject.metadata.name + ' ${CONFIRM_DELETE_ANNOTATION}=' + oldObject.metadata.name + `,
  `', then delete it again. To keep the data: set storage.whenDeleted of these parts to Retain first'`,
].join('');

export function confirmDelete(scope: Construct): void {
  new ApiObject(scope, 'confirm-delete', {
    apiVersion: API,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: NAME },
    spec: {
      // A policy that cannot be evaluated must not let data go.
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [GROUP], apiVersions: ['*'], resources: [PLURAL], operations: ['DELETE'] }],
      },
      matchConditions: [
        {
          name: 'by-a-person',
          expression: `!(request.userInfo.username in [${CONTROLLERS.map((name) => `'${name}'`).join(', ')}])`,
        },
      ],
      variables: [{ name: 'deleted', expression: deleted }],
      validations: [{ expression: `variables.deleted.size() == 0 || ${confirmed}`, messageExpression: message, reason: 'Forbidden' }],
    },
  });
  new ApiObject(scope, 'confirm-delete-binding', {
    apiVersion: API,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: NAME },
    spec: { policyName: NAME, validationActions: ['Deny'] },
  });
}
