import type { StartCommand } from '@nubo/contract'
import { powerStates, type CommandHandler } from './context.js'
import { recordFor, startByRecord } from './guest-power.js'

export const start: CommandHandler<StartCommand> = async (command, tools, signal) => {
  await startByRecord(tools, recordFor(tools, command), signal)
  return { powerState: powerStates.running }
}
