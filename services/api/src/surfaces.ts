import type { Surface } from '@nubo/service-kit'
import { keystoneErrors, neutronErrors, novaErrors } from '@nubo/wire'
import { computeMicroversions } from './compute/microversions/registry.js'
import type { ApiConfiguration } from './configuration.js'

/** What Nova reads as JSON: its own media types, text/plain and no Content-Type at all (`nova/api/openstack/wsgi.py`). */
const novaJson = ['application/json', 'application/vnd.openstack.compute+json', 'text/plain', '']

/** The APIs that this service speaks, each at its place below one origin. */
export function surfacesOf({ publicUrl }: ApiConfiguration): Surface[] {
  return [
    {
      name: 'compute',
      prefix: '/v2.1',
      errors: novaErrors,
      identityUrl: publicUrl,
      jsonMediaTypes: novaJson,
      requestIdHeaders: ['X-Compute-Request-Id'],
      guardsUnknownPaths: true,
      microversions: computeMicroversions,
      formerPrefix: '/v2',
    },
    {
      name: 'network',
      prefix: '/v2.0',
      errors: neutronErrors,
      identityUrl: publicUrl,
      jsonMediaTypes: ['application/json', ''],
      requestIdHeaders: [],
      guardsUnknownPaths: true,
    },
    {
      name: 'nubo',
      prefix: '/nubo/v1',
      errors: novaErrors,
      identityUrl: publicUrl,
      jsonMediaTypes: ['application/json', ''],
      requestIdHeaders: [],
      guardsUnknownPaths: true,
    },
    {
      name: 'identity',
      prefix: '',
      errors: keystoneErrors,
      identityUrl: publicUrl,
      jsonMediaTypes: ['application/json', ''],
      requestIdHeaders: [],
      headers: { Vary: 'X-Auth-Token' },
      guardsUnknownPaths: false,
    },
  ]
}
