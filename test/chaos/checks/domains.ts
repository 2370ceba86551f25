import type { KvmHost } from '@nubo/deploy/installation'
import type { World } from '../world.js'
import type { Check } from './check.js'

interface ServerRow {
  id: string
  host: string | null
  wanted: string
  vmState: string
}

interface Domain {
  host: string
  id: string
  running: boolean
}

/** What libvirt itself says is there, on every host. */
export async function domainsOf(world: World): Promise<Domain[]> {
  return (await Promise.all(world.hosts.map(domainsOn))).flat()
}

async function domainsOn(host: KvmHost): Promise<Domain[]> {
  const ids = async (which: string) =>
    (await host.virsh('list', '--uuid', which))
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
  const running = new Set(await ids('--state-running'))
  return (await ids('--all')).map((id) => ({ host: host.name, id, running: running.has(id) }))
}

/** Promises 2 and 5: what runs is what the records say, where they say it. */
export const domainsEqualRecords: Check = {
  name: 'libvirt has exactly the guests that the records say, in the states that they say',
  async find({ world }) {
    const domains = await domainsOf(world)
    const servers = await world.database.query<ServerRow>(
      `SELECT v.id, h.name AS host, v.wanted, v.vm_state AS "vmState" FROM servers v LEFT JOIN hosts h ON h.id = v.host_id WHERE v.deleted_at IS NULL`,
    )
    const byId = new Map(servers.map((server) => [server.id, server]))
    const unknown = domains.flatMap(({ host, id }) => {
      const record = byId.get(id)
      if (!record) return [`${host} has ${id}, of which there is no record`]
      return record.host === host ? [] : [`${host} has ${id}, which by its record is on ${record.host}`]
    })
    return [...unknown, ...servers.flatMap((server) => differences(server, domains))]
  },
}

/** What a server in ERROR has on its host is settled by its deletion. */
function differences({ id, host, wanted, vmState }: ServerRow, domains: readonly Domain[]): string[] {
  if (vmState !== 'active' && vmState !== 'stopped') return []
  const domain = domains.find((each) => each.id === id && each.host === host)
  if (!domain) return [`${id} is ${vmState} on ${host}, and ${host} has no such guest`]
  if (domain.running !== (vmState === 'active')) return [`${id} is ${vmState}, and its guest is ${domain.running ? 'on' : 'off'}`]
  if (wanted !== (vmState === 'active' ? 'running' : 'stopped')) return [`${id} is wanted ${wanted}, and is ${vmState}`]
  return []
}

/** Processes are looked at too: libvirt may have forgotten one. */
export const processesEqualDomains: Check = {
  name: 'a QEMU runs for every guest that is on, and no other',
  async find({ world }) {
    const domains = await domainsOf(world)
    const on = new Set(domains.filter(({ running }) => running).map(({ host, id }) => `${id} on ${host}`))
    const running = world.hosts.flatMap(({ name }) => world.guestProcesses(name).map(({ serverId }) => `${serverId} on ${name}`))
    return [
      ...running.filter((guest) => !on.has(guest)).map((guest) => `QEMU runs ${guest}, and libvirt does not know`),
      ...[...on].filter((guest) => !running.includes(guest)).map((guest) => `libvirt says that ${guest} is on, and no QEMU runs`),
      ...running.filter((guest, index) => running.indexOf(guest) !== index).map((guest) => `two QEMU run ${guest}`),
    ]
  },
}
