import { Option, type Command } from 'commander'
import { findProjectId, getLimits, getQuotas, type Quota } from '../cloud/quotas.js'
import type { CommandContext } from '../context.js'
import type { Column, View } from '../output/view.js'

const limitText = (limit: number) => (limit < 0 ? 'unlimited' : String(limit))

const resource: Column<Quota> = {
  key: 'resource',
  title: 'Resource',
  value: (quota) => quota.resource,
  listed: true,
  whole: true,
}
const inUse: Column<Quota> = { key: 'used', title: 'Used', value: (quota) => quota.inUse, listed: true, right: true }
const reserved: Column<Quota> = { key: 'reserved', title: 'Reserved', value: (quota) => quota.reserved, right: true }
const limit: Column<Quota> = {
  key: 'limit',
  title: 'Limit',
  value: (quota) => quota.limit,
  text: (quota) => limitText(quota.limit),
  listed: true,
  right: true,
}

const quotaView: View<Quota> = [resource, inUse, reserved, limit]
const defaultView: View<Quota> = [resource, limit]

export function addQuotaCommands(program: Command, context: CommandContext): void {
  program
    .command('quota')
    .description('What a project may have at most.')
    .command('show')
    .summary('show quotas')
    .description("Shows a project's quotas of the compute service and how much of them is used; without an argument your own.")
    .argument('[project]', 'name or id')
    .addOption(new Option('--default', 'what a new project gets'))
    .action(async (wanted: string | undefined, options: { default?: boolean }) => {
      const compute = context.compute()
      const projectId = wanted === undefined ? await context.session().projectId() : await findProjectId(compute, wanted)
      const quotas = await getQuotas(compute, projectId, options.default ? 'defaults' : 'detail')
      context.printList(options.default ? defaultView : quotaView, quotas, 'quotas')
    })
}

export function addLimitsCommands(program: Command, context: CommandContext): void {
  program
    .command('limits')
    .description('How much you have, and how much more you may have.')
    .command('show')
    .summary('show limits')
    .description('Shows how much the project has, and how much it may have.')
    .option('--absolute', 'accepted for the habit: it is all there is')
    .option('--project <project>', "another project's, by name or id (administrators)")
    .action(async (options: { project?: string }) => {
      const compute = context.compute()
      const projectId = options.project === undefined ? undefined : await findProjectId(compute, options.project)
      context.printList([resource, inUse, limit], await getLimits(compute, projectId), 'limits')
    })
}
