import type { Command } from 'commander'
import { enrolHostKey, listHostKeys, removeHostKey, type HostKey } from '../cloud/host-keys.js'
import type { CommandContext } from '../context.js'
import { readNamedFile } from '../files.js'
import type { View } from '../output/view.js'
import { examples } from './help.js'

const hostKeyView: View<HostKey> = [
  { key: 'host_id', title: 'Host', value: (key) => key.host_id, listed: true, whole: true },
  { key: 'host', title: 'Name', value: ({ host }) => host ?? undefined, listed: true },
  { key: 'fingerprint', title: 'Fingerprint', value: ({ fingerprint }) => fingerprint ?? undefined, listed: true, whole: true },
  { key: 'enrolled_at', title: 'Enrolled', value: (key) => key.enrolled_at ?? undefined },
  { key: 'enrolled_by', title: 'By', value: (key) => key.enrolled_by ?? undefined },
  {
    key: 'refused',
    title: 'Refused',
    value: ({ refused }) => refused,
    text: ({ refused }) => refused.map(({ reason, count }) => `${reason} (${count})`).join(', ') || '-',
    listed: true,
  },
]

export function addHostKeyCommands(program: Command, context: CommandContext): void {
  const hostKey = program.command('host-key').description('Which hosts are believed (administrators).')
  hostKey
    .command('list')
    .summary("list hosts' keys")
    .description('Lists the keys of hosts, and what was told in their names and not believed. For administrators.')
    .action(async () => context.printList(hostKeyView, await listHostKeys(context.compute()), 'hosts'))
  addEnrol(hostKey, context)
  hostKey
    .command('remove')
    .summary('believe a host no more')
    .description('Takes the key of a host away: whatever it tells is refused from now on. Its guests go on. For administrators.')
    .argument('<host-id>', 'as in its agent’s configuration')
    .action(async (hostId: string) => {
      await removeHostKey(context.compute(), hostId)
      context.note(`host ${hostId} is believed no more`)
    })
}

function addEnrol(hostKey: Command, context: CommandContext): void {
  const command = hostKey
    .command('enrol')
    .summary('say with which key a host is believed')
    .description(
      'Enrols the public key of a host in place of the one before. The host makes it: identity/host-key.pub in its directory. Compare the fingerprint with the one in its agent’s log. For administrators.',
    )
    .argument('<host-id>', 'as in its agent’s configuration')
    .argument('<file>', 'its host-key.pub')
  examples(command, [['nubo host-key enrol 49704e84-add8-48cc-8850-880848899c9a host-key.pub', '']])
  command.action(async (hostId: string, file: string) => {
    const publicKey = readNamedFile(file, 'the public key').toString('utf8')
    context.printOne(hostKeyView, await enrolHostKey(context.compute(), hostId, publicKey))
  })
}
