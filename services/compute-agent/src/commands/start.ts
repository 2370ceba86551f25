import type { StartCommand } from '@nubo/contract'
import { powerStates, type CommandHandler } from './context.js'
import { recordFor, startByRecord, withNics } from './guest-power.js'

export const start: CommandHandler<StartCommand> = async (command, tools, signal) => {
  await startByRecord(tools, await withNics(tools, recordFor(tools, command), command.nics), signal)
  return { powerState: powerStates.running }
}
