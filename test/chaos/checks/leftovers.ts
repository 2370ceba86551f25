import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from '../world.js'
import type { Check } from './check.js'
import { domainsOf } from './domains.js'

/** Promise 6, once every server was deleted. */
export const nothingIsLeft: Check = {
  name: 'of deleted servers nothing is left: no domain, process, disk, console, room or quota',
  async find({ world }) {
    const domains = (await domainsOf(world)).map(({ host, id }) => `${host}: domain ${id}`)
    const processes = world.hosts.flatMap(({ name }) =>
      world.guestProcesses(name).map(({ serverId }) => `${name}: QEMU of ${serverId}`),
    )
    return [...domains, ...processes, ...filesLeft(world), ...(await recordsLeft(world))]
  },
}

/** Below a host's folder: guests' disks and libvirt's records of them. Tombstones and images stay, as they should. */
const placesOfGuests = [
  { folder: 'agent/guests', ending: '' },
  { folder: 'agent/consoles', ending: '.sock' },
  { folder: 'etc/qemu', ending: '.xml' },
]

function filesLeft(world: World): string[] {
  return world.hosts.flatMap(({ name, settings }) =>
    placesOfGuests.flatMap(({ folder, ending }) =>
      entries(join(settings.directory, folder))
        .filter((file) => file.endsWith(ending))
        .map((file) => `${name}: ${folder}/${file}`),
    ),
  )
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

async function recordsLeft(world: World): Promise<string[]> {
  const rows = await world.database.query<{ words: string }>(
    `SELECT 'server ' || id AS words FROM servers WHERE deleted_at IS NULL
     UNION ALL SELECT 'allocation of ' || server_id FROM allocations
     UNION ALL SELECT 'room on ' || name FROM hosts WHERE used_vcpus + used_memory_mib + used_disk_gib + server_count <> 0
     UNION ALL SELECT 'quota of ' || project_id FROM project_quotas WHERE used_instances + used_cores + used_ram_mib <> 0`,
  )
  return rows.map(({ words }) => `database: ${words}`)
}

/** Results that an agent keeps because nobody took them in. */
export const journalsAreAcknowledged: Check = {
  name: "agents' journals hold no result that nobody took in",
  async find({ world }) {
    return world.hosts.flatMap(({ name, settings }) => {
      const folder = join(settings.directory, 'agent/journal')
      return entries(folder)
        .filter((file) => file.endsWith('.json'))
        .flatMap((file) => (isUnacknowledged(readFileSync(join(folder, file), 'utf8')) ? [`${name}: ${file}`] : []))
    })
  },
}

function isUnacknowledged(text: string): boolean {
  const { result } = JSON.parse(text) as { result?: { acknowledged: boolean } }
  return result !== undefined && !result.acknowledged
}
