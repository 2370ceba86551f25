import { existsSync } from 'node:fs'
import { Cloud } from './cloud.js'
import { agentPort, controlPlaneConfigurations, databaseOf, redisOf } from './configuration.js'
import { waitForPostgres } from './data/postgres.js'
import { redisTrouble } from './data/redis-ping.js'
import { serviceState, type ServiceState } from './health.js'
import type { KvmHost } from './host/host.js'
import { loadInstallation } from './installation/installation.js'
import { memoryMiB, memoryOfTreeMiB } from './process/memory.js'
import { controlPlaneServices, type ControlPlaneService } from './services.js'
import type { ServiceStatus } from './supervisor/protocol.js'

interface Row {
  name: string
  pid?: number
  memoryMiB?: number
  /** Absent when all is well. */
  trouble?: string
  words?: string
}

/** Shows what runs where and whether it is well; exit code 0 only if all of it is. */
export async function status(): Promise<number> {
  const installation = loadInstallation()
  if (!installation) {
    process.stdout.write('This clone has no cloud: start one with `npm run up`.\n')
    return 1
  }
  const cloud = new Cloud(installation)
  const { supervisor } = cloud
  const { hosts } = cloud
  if (!supervisor.process && hosts.every((host) => !host.isOn)) {
    process.stdout.write(`Installation ${installation.id} is down: start it with \`npm run up\`.\n`)
    return 1
  }
  const services = supervisor.process ? await supervisor.ask({ verb: 'status' }).catch(() => []) : []
  const controlPlane = [
    row('supervisor', supervisor.process?.pid, supervisor.process ? undefined : 'not running: `npm run up` starts it again'),
    ...(await Promise.all(['postgres', 'redis', ...controlPlaneServices].map((name) => serviceRow(cloud, services, name)))),
  ]
  const hostRows = (await Promise.all(hosts.map((host) => rowsOfHost(host)))).flat()
  const rows = [...controlPlane, ...hostRows]
  print(`Installation ${installation.id}, API ${cloud.addresses.api}`, controlPlane, hostRows)
  const unwell = rows.filter((each) => each.trouble !== undefined).length
  process.stdout.write(unwell ? `\n${unwell} of ${rows.length} not well; logs are in .nubo/logs\n` : '\nAll is well.\n')
  return unwell ? 1 : 0
}

function row(name: string, pid: number | undefined, trouble: string | undefined, words?: string): Row {
  return { name, pid, memoryMiB: pid && memoryMiB(pid), trouble, words }
}

async function serviceRow(cloud: Cloud, services: readonly ServiceStatus[], name: string): Promise<Row> {
  const service = services.find((each) => each.name === name)
  const pid = service?.process?.pid
  if (!pid) return { name, trouble: service?.lastEnd ? `not running; ended with ${service.lastEnd}` : 'not running' }
  const again = service.unexpectedEnds ? `restarted ${service.unexpectedEnds} times, last after ${service.lastEnd}` : undefined
  const { trouble, remarks } = await stateOf(cloud, name)
  const words = [remarks, again].filter((each) => each !== undefined).join('; ')
  return { name, pid, memoryMiB: memoryOfTreeMiB(pid), trouble, words }
}

async function stateOf(cloud: Cloud, name: string): Promise<ServiceState> {
  if (name === 'redis') return { trouble: await redisTrouble(redisOf(cloud.installation, 'operator')) }
  if (name === 'postgres') {
    const address = { ...databaseOf(cloud.installation, cloud.places), database: 'postgres' }
    return await waitForPostgres(address, () => 'no answer').then(
      () => ({}),
      (error: Error) => ({ trouble: error.message }),
    )
  }
  const { listen } = controlPlaneConfigurations(cloud.installation, cloud.places)[name as ControlPlaneService]
  return await serviceState(listen.host, listen.port)
}

async function rowsOfHost(host: KvmHost): Promise<Row[]> {
  const { name, firstProcess } = host
  if (!firstProcess) return [{ name, trouble: 'off: `npm run up` switches it on' }]
  const libvirtd = host.program('libvirtd')
  const agent = host.program('agent')
  const guests = existsSync(host.libvirtSocket) ? await guestsOf(host) : undefined
  const agentState = agent ? await serviceState(host.settings.address, agentPort) : { trouble: 'not running' }
  return [
    row(name, firstProcess.pid, undefined, `on, at ${host.settings.address}`),
    row('  libvirtd', libvirtd?.pid, libvirtd && guests !== undefined ? undefined : 'does not answer'),
    row('  agent', agent?.pid, agentState.trouble, agentState.remarks),
    ...host
      .processes()
      .filter((each) => each.name.startsWith('qemu-system'))
      .map((each) => row(`  ${nameOfGuest(each.command)}`, each.pid, undefined, 'guest')),
  ]
}

async function guestsOf(host: KvmHost): Promise<string | undefined> {
  return await host.virsh('list', '--name').catch(() => undefined)
}

/** libvirt starts QEMU with `-name guest=NAME,…`. */
function nameOfGuest(command: string): string {
  return /-name guest=([^, ]+)/.exec(command)?.[1] ?? 'a guest'
}

function print(title: string, ...groups: Row[][]): void {
  const lines = groups.map((rows) => rows.map((each) => lineOf(each)).join('\n'))
  process.stdout.write(`${title}\n\n${lineOf({ name: 'WHAT' }, 'PID', 'MEMORY', 'STATE')}\n${lines.join('\n\n')}\n`)
}

function lineOf(row: Row, pid?: string | number, memory?: string, state?: string): string {
  const columns = [
    row.name.padEnd(44),
    String(pid ?? row.pid ?? '-').padStart(8),
    (memory ?? (row.memoryMiB === undefined ? '-' : `${row.memoryMiB} MiB`)).padStart(9),
  ]
  const words = row.words ? `, ${row.words}` : ''
  return `${columns.join('  ')}  ${state ?? (row.trouble === undefined ? `well${words}` : `NOT WELL: ${row.trouble}${words}`)}`
}
