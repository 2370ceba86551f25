import { Option, type Command } from 'commander'
import { positiveNumber, wholeNumber } from '../arguments.js'
import { getOperation, listOperations, type Operation, type OperationStep } from '../cloud/operations.js'
import { findServer } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import type { Colour } from '../output/style.js'
import { counted, humanDuration } from '../output/text.js'
import type { View } from '../output/view.js'
import { examples } from './help.js'

const states = ['live', 'running', 'unwinding', 'done', 'failed', 'cancelled']

function stateColour(state: string): Colour | undefined {
  if (state === 'failed') return 'red'
  return state === 'running' || state === 'unwinding' ? 'yellow' : undefined
}

const duration = (seconds: number | null) => (seconds === null ? '-' : humanDuration(Math.max(0, seconds) * 1000))

const operationView: View<Operation> = [
  { key: 'id', title: 'ID', value: ({ id }) => id, listed: true, whole: true },
  { key: 'kind', title: 'Kind', value: ({ kind }) => kind, listed: true },
  {
    key: 'state',
    title: 'State',
    value: ({ state }) => state,
    colour: ({ state }) => stateColour(state),
    listed: true,
    whole: true,
  },
  {
    key: 'progress',
    title: 'Progress',
    value: ({ progress }) => ({ ...progress }),
    text: ({ progress: { step, undoing, steps_done, steps_total } }) =>
      `${steps_done} of ${steps_total}${step ? `, ${undoing ? 'undoing ' : ''}${step}` : ''}`,
    listed: true,
  },
  { key: 'server_id', title: 'Server', value: (operation) => operation.server_id, listed: true },
  {
    key: 'age_seconds',
    title: 'Age',
    value: (operation) => operation.age_seconds,
    text: (operation) => duration(operation.age_seconds),
    listed: true,
    right: true,
  },
  {
    key: 'seconds_left',
    title: 'Time left',
    value: (operation) => operation.seconds_left,
    text: (operation) => duration(operation.seconds_left),
  },
  { key: 'attempt', title: 'Attempt', value: ({ attempt }) => attempt },
  { key: 'last_failure', title: 'Last failure', value: (operation) => operation.last_failure, listed: true },
  { key: 'message', title: 'Message', value: ({ message }) => message },
  { key: 'started_at', title: 'Started', value: (operation) => operation.started_at },
  { key: 'finished_at', title: 'Finished', value: (operation) => operation.finished_at },
  { key: 'request_id', title: 'Request', value: (operation) => operation.request_id },
  { key: 'project_id', title: 'Project', value: (operation) => operation.project_id },
  { key: 'user_id', title: 'User', value: (operation) => operation.user_id },
  {
    key: 'steps',
    title: 'Steps',
    value: ({ steps }) => steps?.map((step) => ({ ...step, host: step.host ?? null })),
    text: ({ steps = [] }) => steps.map(stepText).join('; '),
  },
]

function stepText({ name, direction, state, attempt, hints, host, message }: OperationStep): string {
  const again = [...(attempt > 1 ? [`attempt ${attempt}`] : []), ...(hints > 0 ? [counted(hints, 'hint')] : [])]
  const details = [state, ...again, ...(host ? [`on ${host}`] : []), ...(message ? [message] : [])]
  return `${direction === 'undo' ? 'undo ' : ''}${name}: ${details.join(', ')}`
}

interface ListOptions {
  state?: string
  server?: string
  kind?: string
  olderThan?: number
  limit?: number
}

export function addOperationCommands(program: Command, context: CommandContext): void {
  const operation = program.command('operation').description('What is being done to servers, step by step (Nubo clouds only).')
  addList(operation, context)
  operation
    .command('show')
    .summary('show an operation')
    .description('Shows how far an operation is, how long it may last, and each of its steps.')
    .argument('<operation>', 'id')
    .action(async (id: string) => context.printOne(operationView, await getOperation(context.compute(), id)))
}

function addList(operation: Command, context: CommandContext): void {
  const list = operation
    .command('list')
    .summary('list operations')
    .description("Lists what was done to the project's servers, newest first; administrators see those of every project.")
    .addOption(new Option('--state <state>', "only those in this state; 'live' is whatever is under way").choices(states))
    .option('--server <server>', 'only those of this server, by name or id')
    .option('--kind <kind>', 'only of this kind: server.create, server.delete ...')
    .addOption(new Option('--older-than <seconds>', 'only what began so long ago').argParser(wholeNumber))
    .addOption(new Option('--limit <count>', 'no more than so many').argParser(positiveNumber))
  examples(list, [
    ['nubo operation list --state live', ''],
    ['nubo operation list --state live --older-than 300', 'what takes long'],
  ])
  list.action(async ({ state, server, kind, olderThan, limit }: ListOptions) => {
    const compute = context.compute()
    const serverId = server === undefined ? undefined : (await findServer(compute, server)).id
    const filters = { state, server_id: serverId, kind, older_than: olderThan }
    context.printList(operationView, await listOperations(compute, filters, limit), 'operations')
  })
}
