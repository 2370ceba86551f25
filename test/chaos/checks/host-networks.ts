import { type KvmHost, runOrThrow } from '@nubo/deploy/installation'
import { tapName } from '@nubo/host-network'
import type { PortId } from '@nubo/kernel'
import type { World } from '../world.js'
import type { Check } from './check.js'

interface PortRow {
  id: PortId
  server: string
  host: string
  isOn: boolean
}

/** What we make on hosts, and taps, which the hypervisor makes by our names. */
const ours = /^nu[a-z]{2}/

/** The hosts' plans: what was changed was told, and what was told was done. */
export const plansAreApplied: Check = {
  name: 'every host has applied the newest plan of its networks, whole',
  async find({ world }) {
    const rows = await world.database.query<{ words: string }>(
      `SELECT h.name || ': wanted ' || n.wanted || ', applied ' || n.applied || COALESCE(': ' || n.trouble, '') AS words
       FROM host_networks n JOIN hosts h ON h.id = n.host_id WHERE n.wanted <> n.applied OR n.trouble IS NOT NULL
       UNION ALL SELECT 'changes that no host was told of: ' || count(*) FROM network_changes HAVING count(*) > 0`,
    )
    return rows.map(({ words }) => words)
  },
}

/** Each guest that is on has its tap, and no other tap is there. */
export const tapsEqualPorts: Check = {
  name: 'hosts have exactly the taps of the ports whose guests are on',
  async find({ world }) {
    const ports = await world.database.query<PortRow>(
      `SELECT p.id, v.id AS server, h.name AS host, v.vm_state = 'active' AS "isOn"
       FROM ports p JOIN servers v ON v.id = p.server_id JOIN hosts h ON h.id = p.host_id
       WHERE p.gone_at IS NULL AND v.deleted_at IS NULL AND v.vm_state IN ('active', 'stopped')`,
    )
    const found = await Promise.all(world.hosts.map(async (host) => differencesOn(host, ports, await linksOf(host))))
    return found.flat()
  },
}

function differencesOn({ name }: KvmHost, ports: readonly PortRow[], links: readonly string[]): string[] {
  const wanted = new Map(ports.filter(({ host, isOn }) => isOn && host === name).map((port) => [tapName(port.id), port]))
  const known = new Map(ports.map((port) => [tapName(port.id), port]))
  const taps = links.filter((link) => link.startsWith('nut'))
  return [
    ...[...wanted].filter(([tap]) => !taps.includes(tap)).map(([tap, { server }]) => `${name} has no ${tap} of ${server}`),
    ...taps
      .filter((tap) => !wanted.has(tap))
      .map((tap) => `${name} has ${tap} of ${known.get(tap)?.server ?? 'nobody'}, and should not`),
  ]
}

/** Once every server was deleted: a network without a guest leaves nothing on hosts. */
export const networksLeaveNothing: Check = {
  name: 'of networks without guests nothing is left on hosts: no link, namespace or process; and no port in the records',
  async find({ world }) {
    const left = await Promise.all(world.hosts.map(leftOn))
    return [...left.flat(), ...(await portsLeft(world))]
  },
}

async function leftOn(host: KvmHost): Promise<string[]> {
  const links = (await linksOf(host)).filter((link) => ours.test(link))
  const programs = host.processes().filter(({ command }) => command.includes('dnsmasq'))
  return [...links, ...programs.map(({ pid }) => `dnsmasq ${pid}`)].map((thing) => `${host.name}: ${thing}`)
}

async function linksOf(host: KvmHost): Promise<string[]> {
  const init = host.firstProcess
  if (!init) return []
  const listing = await runOrThrow('nsenter', ['--target', String(init.pid), '--net', 'ip', '--json', 'link'])
  return (JSON.parse(listing) as { ifname: string }[]).map(({ ifname }) => ifname)
}

async function portsLeft(world: World): Promise<string[]> {
  const rows = await world.database.query<{ words: string }>(
    `SELECT 'port ' || id || ' of server ' || server_id AS words FROM ports WHERE server_id IS NOT NULL AND gone_at IS NULL`,
  )
  return rows.map(({ words }) => `database: ${words}`)
}
