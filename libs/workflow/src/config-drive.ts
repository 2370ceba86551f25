import type { ConfigDrive } from '@nubo/contract'
import { networkDataOf } from './network-data.js'
import type { GuestPort, OpenStep } from './records.js'

/** The one zone there is. */
const availabilityZone = 'nova'

/** OpenStack's meta_data.json, as Nova fills it (nova/api/metadata/base.py). The random seed is the host's to add. */
export function configDriveOf({ operation, server, guest }: OpenStep): ConfigDrive {
  const adminPassword = operation.input.adminPassword
  return {
    metaData: {
      uuid: server.id,
      name: server.name,
      hostname: server.hostname,
      project_id: server.projectId,
      availability_zone: availabilityZone,
      launch_index: guest.launchIndex,
      devices: guest.ports.flatMap(taggedDevice),
      dedicated_cpus: [],
      ...(Object.keys(guest.metadata).length > 0 ? { meta: guest.metadata } : {}),
      ...(typeof adminPassword === 'string' ? { admin_pass: adminPassword } : {}),
      ...keysOf(guest),
    },
    networkData: networkDataOf(guest.ports),
    userData: guest.userData,
    files: guest.files,
  }
}

function keysOf({ keyName, publicKey }: OpenStep['guest']) {
  if (!keyName || !publicKey) return {}
  return { public_keys: { [keyName]: publicKey }, keys: [{ name: keyName, type: keyTypeOf(publicKey), data: publicKey }] }
}

/** By which cloudbase-init finds the certificate that a Windows guest lets its owner in by. */
const keyTypeOf = (publicKey: string) => (/^\s*-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(publicKey) ? 'x509' : 'ssh')

/** Only what the tenant gave a tag is listed; where on its bus it will be nobody knows before the guest is made. */
function taggedDevice({ mac, tag }: GuestPort) {
  return tag === null ? [] : [{ type: 'nic', bus: 'none', address: 'none', mac, tags: [tag] }]
}
