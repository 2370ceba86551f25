import type { Command } from 'commander'
import { repeated } from '../arguments.js'
import { networks, ports, securityGroups } from '../cloud/network-kinds.js'
import type { CommandContext } from '../context.js'
import { addKeyOption, examples } from './help.js'
import { addCommonCommands, given } from './network-common.js'
import { portView } from './network-views.js'

interface CreateOptions {
  network: string
  address?: string[]
  mac?: string
  securityGroup?: string[]
  portSecurity: boolean
  description?: string
}

export function addPortCommands(program: Command, context: CommandContext): void {
  const port = program.command('port').description('Places on a network: an address, a MAC, and what may pass.')
  addCommonCommands(port, context, ports, portView)
  const command = port
    .command('create')
    .summary('make a port')
    .description('Makes a port, for a server to be connected to later.')
    .argument('<name>', 'name of the port')
    .requiredOption('--network <network>', 'network (name or id)')
    .option('--address <address>', 'address to have (repeatable; default: a free one)', repeated)
    .option('--mac <mac>', 'MAC address to have (default: a new one)')
    .option('--security-group <group>', 'group that it is in (name or id, repeatable; default: default)', repeated)
    .option('--no-port-security', 'no groups, and it may send as whoever it likes')
    .option('--description <text>', 'what it is for')
  addKeyOption(command)
  examples(command, [['nubo port create web --network inside --address 10.0.0.10', '']])
  command.action(async (name: string, options: CreateOptions) => {
    const service = context.networks()
    const { id } = await service.find(networks, options.network)
    const groups = options.securityGroup?.map(async (group) => (await service.find(securityGroups, group)).id)
    const made = await service.create(ports, {
      ...{ name, network_id: id },
      ...given({
        fixed_ips: options.address?.map((address) => ({ ip_address: address })),
        mac_address: options.mac,
        security_groups: groups && (await Promise.all(groups)),
        port_security_enabled: options.portSecurity ? undefined : false,
        description: options.description,
      }),
    })
    context.printOne(portView, made)
  })
}
