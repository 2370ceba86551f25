import { shareRecords } from '@nubo/database'
import { oneOf, someText, uuidText } from '../base/attribute-types.js'
import { resource } from '../base/resource.js'

const targetProject = someText(255)
const project = { column: 'projectId', input: someText(255), on: 'create' } as const

/** Of networks alone. https://docs.openstack.org/api-ref/network/v2/#rbac-policies */
export const shares = resource({
  singular: 'rbac_policy',
  plural: 'rbac_policies',
  exceptionName: 'RbacPolicy',
  words: 'RBAC policy',
  records: shareRecords,
  attributes: {
    id: { column: 'id' },
    tenant_id: project,
    project_id: project,
    object_type: { column: 'objectType', input: oneOf('network'), on: 'create', required: true },
    object_id: { column: 'networkId', input: uuidText, on: 'create', required: true },
    action: { column: 'action', input: oneOf('access_as_shared', 'access_as_external'), on: 'create', required: true },
    target_tenant: { column: 'targetProject', input: targetProject, required: true },
  },
})
