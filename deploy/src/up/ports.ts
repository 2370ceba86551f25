import { Refusal } from '../../bootstrap/refusal.mjs'
import type { Cloud } from '../cloud.js'
import { controlPlaneAddress } from '../host/network.js'
import { saveInstallation } from '../installation/installation.js'
import { type Listener, listeners } from '../installation/port-block.js'
import { isPortFree } from '../process/ports.js'
import { run } from '../process/run.js'
import type { SupervisorHandle } from '../supervisor/start.js'

/**
 * Looks whether our ports are still ours. The API's address stands in people's files, so where another program took that
 * port they are told; of any other port nobody but us knows, so it moves.
 */
export async function settlePorts(cloud: Cloud): Promise<void> {
  const { installation, folder } = cloud
  const ours = await runningServices(cloud.supervisor)
  for (const name of listeners) {
    const port: number | undefined = installation.ports[name]
    if (port !== undefined && ours.has(serviceOf(name))) continue
    // One that was made before this listener was has no port for it.
    if (port !== undefined && (await isListenerFree(cloud, name, port))) continue
    if (name === 'api' && port !== undefined) {
      throw new Refusal(`port ${port} of the API is taken by ${await holderOf(port)}: end that, and run this again.`)
    }
    installation.ports[name] = await anotherPort(cloud, name)
    saveInstallation(installation, folder)
  }
}

/** Which service listens there. */
const serviceOf = (name: Listener) => (name === 'apiMetrics' ? 'api' : name === 'imageMetrics' ? 'image' : name)

async function runningServices(supervisor: SupervisorHandle): Promise<Set<string>> {
  if (!supervisor.process) {
    // Left behind by a supervisor that was killed: the next one finds them, and they are ours.
    await supervisor.ensure(process.execPath)
  }
  const services = await supervisor.ask({ verb: 'status' })
  return new Set(services.filter((service) => service.state === 'running').map((service) => service.name))
}

async function isListenerFree(cloud: Cloud, name: Listener, port: number): Promise<boolean> {
  const underlay = controlPlaneAddress(cloud.installation.underlay)
  const hosts = {
    api: ['127.0.0.1'],
    image: [underlay],
    conductor: ['127.0.0.1'],
    scheduler: ['127.0.0.1'],
    apiMetrics: ['127.0.0.1'],
    imageMetrics: ['127.0.0.1'],
    redis: ['127.0.0.1', underlay],
  }
  const free = await Promise.all(hosts[name].map((host) => isPortFree(port, host)))
  return free.every(Boolean)
}

async function anotherPort(cloud: Cloud, name: Listener): Promise<number> {
  const used = new Set(Object.values(cloud.installation.ports))
  for (let port = 8700; port < 9000; port++) {
    if (!used.has(port) && (await isListenerFree(cloud, name, port))) return port
  }
  throw new Refusal('no port is free between 8700 and 8999: end what listens there and run this again.')
}

async function holderOf(port: number): Promise<string> {
  const { stdout } = await run('ss', ['--listening', '--tcp', '--numeric', '--processes', '--no-header', `sport = :${port}`])
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout)
  return match ? `${match[1]} (process ${match[2]})` : 'another program'
}
