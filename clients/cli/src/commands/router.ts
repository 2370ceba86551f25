import type { Command } from 'commander'
import { networks, routers, subnets } from '../cloud/network-kinds.js'
import type { NetworkKind } from '../cloud/network-service.js'
import type { CommandContext } from '../context.js'
import { addKeyOption, examples } from './help.js'
import { addCommonCommands, given } from './network-common.js'
import { routerView } from './network-views.js'

export function addRouterCommands(program: Command, context: CommandContext): void {
  const router = program.command('router').description('What leads from network to network, and outside.')
  addCommonCommands(router, context, routers, routerView)
  addCreate(router, context)
  addInterface(router, context, 'add', 'connect a router to a subnet')
  addInterface(router, context, 'remove', 'disconnect a router from a subnet')
}

function addCreate(router: Command, context: CommandContext): void {
  const command = router
    .command('create')
    .summary('make a router')
    .description('Makes a router; with --external what is behind it reaches the outside, under its address.')
    .argument('<name>', 'name of the router')
    .option('--external <network>', 'external network to lead to (name or id)')
    .option('--description <text>', 'what it is for')
  addKeyOption(command)
  examples(command, [
    ['nubo router create out --external external', ''],
    ['nubo router add out inside', 'the guests of the subnet inside reach the outside'],
  ])
  command.action(async (name: string, options: { external?: string; description?: string }) => {
    const service = context.networks()
    const external = options.external === undefined ? undefined : await service.find(networks, options.external)
    const gateway = external && { network_id: external.id }
    const wanted = { name, ...given({ external_gateway_info: gateway, description: options.description }) }
    context.printOne(routerView, await service.create(routers, wanted))
  })
}

function addInterface(router: Command, context: CommandContext, verb: 'add' | 'remove', summary: string): void {
  router
    .command(verb)
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .argument('<router>', 'name or id')
    .argument('<subnet>', 'name or id')
    .action(async (wanted: string, wantedSubnet: string) => {
      const service = context.networks()
      const { id } = await service.find(routers, wanted)
      const subnet = await service.find(subnets, wantedSubnet)
      await service.act(routers as NetworkKind<never>, id, `${verb}_router_interface`, { subnet_id: subnet.id })
      context.printOne(routerView, await service.find(routers, id))
    })
}
