import { ensureHostKey } from '@nubo/auth'
import { join } from 'node:path'
import type { Cloud } from '../cloud.js'
import { CloudClient } from './cloud-client.js'

/**
 * Makes the keys of our hosts where they are missing, each in its host's own folder, and enrols them: whoever runs `up`
 * is the operator whose word it takes.
 */
export async function enrolHosts(cloud: Cloud): Promise<string> {
  const { hosts, passwords } = cloud.installation
  const admin = new CloudClient(cloud.addresses.api, { user: 'admin', password: passwords.admin, project: 'admin' })
  for (const { id, name } of hosts) {
    const { publicKeyPem } = ensureHostKey(join(cloud.folder.folder('hosts'), name, 'agent/identity'))
    await admin.enrolHost(id, publicKeyPem)
  }
  return `${hosts.length} enrolled`
}
