import { chmodSync, chownSync, renameSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { addresses } from '../configuration.js'
import type { Installation } from './installation.js'

/**
 * Writes clouds.yaml, as OpenStack's clients read it
 * (https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html): the clouds `nubo`, an ordinary member of
 * project demo, and `nubo-admin`. It is its owner's alone.
 */
export function writeClouds(file: string, installation: Installation, owner: { uid: number; gid: number }): void {
  const cloud = (username: string, password: string, project: string) => ({
    auth: {
      auth_url: `${addresses(installation).api}/v3`,
      username,
      password,
      project_name: project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    },
    region_name: 'RegionOne',
    identity_api_version: '3',
  })
  const { admin, demo } = installation.passwords
  const clouds = { nubo: cloud('demo', demo, 'demo'), 'nubo-admin': cloud('admin', admin, 'admin') }
  const fresh = `${file}.new`
  writeFileSync(fresh, `# Written by Nubo at every \`npm run up\`.\n${stringify({ clouds })}`, { mode: 0o600 })
  chmodSync(fresh, 0o600)
  chownSync(fresh, owner.uid, owner.gid)
  renameSync(fresh, file)
}
