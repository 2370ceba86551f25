import type { LibvirtConnection } from '@nubo/node-libvirt'
import type { HypervisorDescription } from '../hypervisor.js'
import { descend, parseXml } from '../xml/parse.js'

export type HostFacts = Omit<HypervisorDescription, 'virtType' | 'virtTypeReason'> & { guestTypes: readonly string[] }

/** What libvirt knows of its host and of itself (virConnectGetCapabilities, virNodeGetInfo, virNodeGetMemoryStats). */
export async function describeHost(connection: LibvirtConnection): Promise<HostFacts> {
  const [hypervisorType, version, hostName, node, capabilities] = await Promise.all([
    connection.connectGetType(),
    connection.connectGetVersion(),
    connection.connectGetHostname(),
    connection.nodeGetInfo(),
    connection.connectGetCapabilities(),
  ])
  const xml = parseXml(capabilities)
  return {
    hypervisorType,
    hypervisorVersion: version.major * 1_000_000 + version.minor * 1000 + version.release,
    hostName,
    architecture: descend(xml, 'host', 'cpu', 'arch')?.text ?? node.model,
    cpus: node.cpus,
    memoryMiB: Math.floor((await memoryKiB(connection, node.memoryKiB)) / 1024),
    cpuInfo: cpuInfo(xml),
    guestTypes: xml.children
      .filter((child) => child.name === 'guest')
      .flatMap((guest) => descend(guest, 'arch')?.children ?? [])
      .flatMap((child) => (child.name === 'domain' ? [child.attributes.type ?? ''] : [])),
  }
}

/** virNodeGetInfo counts one NUMA node, and misses what was plugged in later: the statistics count all of it. */
async function memoryKiB(connection: LibvirtConnection, nodeMemoryKiB: number): Promise<number> {
  const statistics = await connection.nodeMemoryStatistics().catch(() => undefined)
  return statistics?.total === undefined ? nodeMemoryKiB : Number(statistics.total)
}

/** As Nova's `cpu_info` has it. */
function cpuInfo(capabilities: ReturnType<typeof parseXml>): Record<string, unknown> {
  const cpu = descend(capabilities, 'host', 'cpu')
  if (!cpu) return {}
  const numbers = descend(cpu, 'topology')?.attributes ?? {}
  return {
    arch: descend(cpu, 'arch')?.text,
    model: descend(cpu, 'model')?.text,
    vendor: descend(cpu, 'vendor')?.text,
    topology: Object.fromEntries(Object.entries(numbers).map(([name, count]) => [name, Number(count)])),
    features: cpu.children.filter((child) => child.name === 'feature').map((child) => child.attributes.name),
  }
}
