import type { Command } from 'commander'
import { nameOf, type NetworkItem, type NetworkKind } from '../cloud/network-service.js'
import type { CommandContext } from '../context.js'
import type { View } from '../output/view.js'
import { Several } from './several.js'

/** `list`, `show` and `delete`, which are alike for all that the network service keeps. */
export function addCommonCommands<Item extends NetworkItem>(
  group: Command,
  context: CommandContext,
  kind: NetworkKind<Item>,
  view: View<Item>,
): void {
  const { words } = kind
  const plural = `${words}s`
  group
    .command('list')
    .summary(`list ${plural}`)
    .description(`Lists the ${plural} that the project has or may use.`)
    .action(async () => context.printList(view, await context.networks().list(kind), plural))
  group
    .command('show')
    .summary(`show a ${words}`)
    .description(`Shows all there is to know about a ${words}.`)
    .argument(argument(kind), nameOrId(kind))
    .action(async (wanted: string) => context.printOne(view, await context.networks().find(kind, wanted)))
  group
    .command('delete')
    .summary(`delete ${plural}`)
    .description(`Deletes ${plural}. One that something still stands on is refused.`)
    .argument(argument(kind).replace('>', 's...>'), nameOrId(kind))
    .action(async (wanted: string[]) => {
      const several = new Several(context, wanted.length)
      await several.each(wanted, async (word) => {
        const item = await context.networks().find(kind, word)
        await context.networks().remove(kind as NetworkKind<never>, item.id)
        context.note(`deleted ${nameOf(kind, item) || item.id}`)
      })
      several.finish()
    })
}

const argument = (kind: NetworkKind<never>) => `<${kind.words.toLowerCase().replaceAll(' ', '-')}>`
const nameOrId = (kind: NetworkKind<never>) => (kind.singular === 'floatingip' ? 'address or id' : 'name or id')

/** What was given of these, and nothing of the others: what is absent is the cloud's to choose. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
