import type { Clock } from '@nubo/kernel'
import { Daemons } from './daemons.js'
import { diskNetworkFiles } from './files.js'
import { Connections } from './groups/connections.js'
import type { HostNetwork } from './host-network.js'
import { LinuxKernel } from './linux/linux-kernel.js'
import { systemProcesses, type ProcessRunner } from './process-runner.js'
import { processTable, type ProcessTable } from './process-table.js'
import { ProgrammedHostNetwork } from './programmed-host-network.js'
import { Announcements } from './routers/announcements.js'
import { TranslatedConnections } from './routers/translated.js'
import type { HostSettings } from './settings.js'
import { TrackedConnectionsWatch } from './watches/tracked-connections.js'
import { UnderlayWatch } from './watches/underlay.js'
import { WatchedHostNetwork } from './watches/watched-host-network.js'

export interface LinuxHostNetworkOptions {
  settings: HostSettings
  clock: Clock
  /** In the host's own network namespace. */
  processes?: ProcessRunner
  table?: ProcessTable
}

/** The networks of the machine that we run on. */
export function linuxHostNetwork({
  settings,
  clock,
  processes = systemProcesses(),
  table = processTable(),
}: LinuxHostNetworkOptions): HostNetwork {
  const files = diskNetworkFiles
  const directory = `${settings.directory}/processes`
  const network = new ProgrammedHostNetwork({
    ...{ settings, clock, files },
    kernel: new LinuxKernel(processes),
    followers: [new Connections(processes), new TranslatedConnections(processes), new Announcements(processes)],
    daemons: new Daemons({ processes, table, files, clock, directory }),
  })
  const watches = [new UnderlayWatch(processes, settings.underlayAddress), new TrackedConnectionsWatch(processes)]
  return new WatchedHostNetwork(network, watches)
}
