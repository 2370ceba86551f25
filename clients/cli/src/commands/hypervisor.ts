import type { Command } from 'commander'
import { findHypervisor, listHypervisors, type Hypervisor } from '../cloud/hypervisors.js'
import type { CommandContext } from '../context.js'
import { humanBytes } from '../output/text.js'
import type { View } from '../output/view.js'

const mib = 1024 * 1024
const gib = 1024 * mib

const hypervisorView: View<Hypervisor> = [
  { key: 'id', title: 'ID', value: ({ id }) => String(id), whole: true },
  { key: 'hostname', title: 'Hostname', value: (hypervisor) => hypervisor.hypervisor_hostname, listed: true },
  { key: 'type', title: 'Type', value: (hypervisor) => hypervisor.hypervisor_type, listed: true },
  { key: 'version', title: 'Version', value: (hypervisor) => hypervisor.hypervisor_version },
  { key: 'host_ip', title: 'Address', value: (hypervisor) => hypervisor.host_ip },
  {
    key: 'state',
    title: 'State',
    value: ({ state }) => state,
    colour: ({ state }) => (state === 'up' ? 'green' : 'red'),
    listed: true,
    whole: true,
  },
  {
    key: 'status',
    title: 'Status',
    value: ({ status }) => status,
    colour: ({ status }) => (status === 'enabled' ? undefined : 'yellow'),
    listed: true,
    whole: true,
  },
  { key: 'disabled_reason', title: 'Disabled because', value: ({ service }) => service?.disabled_reason ?? undefined },
  { key: 'servers', title: 'Servers', value: (hypervisor) => hypervisor.running_vms, listed: true, right: true },
  used('vcpus', 'vCPUs', ({ vcpus, vcpus_used }) => [vcpus_used, vcpus], 1),
  used('ram_mib', 'RAM', ({ memory_mb, memory_mb_used }) => [memory_mb_used, memory_mb], mib),
  used('disk_gib', 'Disk', ({ local_gb, local_gb_used }) => [local_gb_used, local_gb], gib),
  { key: 'uptime', title: 'Uptime', value: ({ uptime }) => uptime?.trim() },
]

function used(
  key: string,
  title: string,
  amounts: (hypervisor: Hypervisor) => [number | undefined, number | undefined],
  unitBytes: number,
): View<Hypervisor>[number] {
  const say = (amount: number) => (unitBytes === 1 ? String(amount) : humanBytes(amount * unitBytes))
  return {
    key,
    title: `${title} used`,
    listed: true,
    right: true,
    value(hypervisor) {
      const [inUse, total] = amounts(hypervisor)
      return inUse === undefined || total === undefined ? undefined : { used: inUse, total }
    },
    text(hypervisor) {
      const [inUse, total] = amounts(hypervisor)
      return inUse === undefined || total === undefined ? '-' : `${say(inUse)} of ${say(total)}`
    },
  }
}

export function addHypervisorCommands(program: Command, context: CommandContext): void {
  const hypervisor = program.command('hypervisor').description('Hosts that servers run on (administrators).')
  hypervisor
    .command('list')
    .summary('list hypervisors')
    .description('Lists the hosts, whether they are up, and how full they are. For administrators.')
    .action(async () => context.printList(hypervisorView, await listHypervisors(context.compute()), 'hypervisors'))
  hypervisor
    .command('show')
    .summary('show a hypervisor')
    .description('Shows all there is to know about a host. For administrators.')
    .argument('<hypervisor>', 'hostname or id')
    .action(async (wanted: string) => context.printOne(hypervisorView, await findHypervisor(context.compute(), wanted)))
}
