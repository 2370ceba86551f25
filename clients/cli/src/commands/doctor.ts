import type { Command } from 'commander'
import {
  examine,
  repair,
  type AbandonedGuest,
  type Examination,
  type Finding,
  type SurveyedHost,
  type Tombstone,
} from '../cloud/doctor.js'
import type { CommandContext } from '../context.js'
import { CommandError, exitCode } from '../exit.js'
import { counted, printable } from '../output/text.js'
import type { Json } from '../output/view.js'
import { examples } from './help.js'

export function addDoctorCommands(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .summary('see whether the cloud keeps its promises (administrators)')
    .description(
      'Holds every promise of a Nubo cloud against its records, its queues and what lies on its hosts, and says what is wrong, since when, and what is to be done. Exit code 7 if anything is. For administrators.',
    )
    .option('--repair', 'mend what the records say how to mend; everything else is left to you')
  examples(command, [
    ['nubo doctor', ''],
    ['nubo doctor --repair', 'asks hosts to remove leftovers, recounts, ends what is lost'],
    ['nubo doctor --json', 'everything that was found, for programs'],
  ])
  command.action(async (options: { repair?: boolean }) => {
    const compute = context.compute()
    const examination = await (options.repair ? repair(compute) : examine(compute))
    if (context.options.json) context.printJson(examination as unknown as Json)
    else print(context, examination)
    if (!examination.healthy) throw new CommandError(exitCode.unhealthy, summaryOf(examination))
  })
}

function print(context: CommandContext, examination: Examination): void {
  const { findings, tombstones, abandoned, hosts, healthy } = examination
  const silent = hosts.filter(({ answered }) => !answered)
  const lines = [
    ...findings.flatMap(findingLines),
    ...(tombstones.length + abandoned.length + silent.length > 0 ? ['Notes:'] : []),
    ...tombstones.map(tombstoneLine),
    ...abandoned.map(abandonedLine),
    ...silent.map(silentLine),
  ]
  context.print(lines.map((line) => `${printable(line)}\n`).join(''))
  if (healthy) context.note(`Every promise holds. ${askedOf(hosts)}`)
}

function findingLines({ promise, code, message, since, repair, outcome }: Finding): string[] {
  const marks = [`promise ${promise}`, code, ...(since ? [`since ${since}`] : [])].join(', ')
  const help = outcome
    ? `${outcome.mended ? 'Mended' : 'Not mended'}: ${outcome.message}`
    : `${repair.possible ? '--repair mends it' : 'To do'}: ${repair.how}`
  return [message, `  ${marks}`, `  ${help}`, '']
}

function tombstoneLine({ server_id, host, host_alive, since, vcpus, memory_mib, disk_gib, last_failure }: Tombstone): string {
  const held = `${vcpus} vCPU, ${memory_mib} MiB of memory and ${disk_gib} GiB of disk`
  const why = host_alive ? `is asked to remove it${last_failure ? ` (last answer: ${last_failure})` : ''}` : 'is down'
  return `  ${held} are held on host ${host} for server ${server_id}, deleted ${since}: the host ${why}.`
}

function abandonedLine({ server_id, incarnation, host, host_id, since }: AbandonedGuest): string {
  return `  Host ${host ?? host_id} is told to remove incarnation ${incarnation} of server ${server_id} when it comes back: given up ${since}.`
}

function silentLine({ name, trouble }: SurveyedHost): string {
  return `  Host ${name} was not looked at. ${trouble ?? ''}`.trimEnd()
}

function askedOf(hosts: readonly SurveyedHost[]): string {
  const answered = hosts.filter((host) => host.answered)
  const guests = answered.reduce((sum, host) => sum + (host.guests ?? 0), 0)
  return `${answered.length} of ${counted(hosts.length, 'host')} answered, with ${counted(guests, 'guest')}.`
}

function summaryOf({ findings }: Examination): string {
  const open = findings.filter(({ outcome }) => !outcome?.mended)
  const mended = findings.length - open.length
  const broken = `${open.length} ${open.length === 1 ? 'thing is' : 'things are'} not as promised`
  return mended > 0 ? `${broken}; ${mended} mended` : broken
}
