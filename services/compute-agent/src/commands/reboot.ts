import type { RebootCommand } from '@nubo/contract'
import { powerStates, type CommandHandler, type CommandTools } from './context.js'
import { askGuest, isOff, powerOff, recordFor, startByRecord, withNics } from './guest-power.js'

/** Soft: asks the guest, and falls back to hard. Hard: off, defined anew, on. A guest that is off is started. */
export const reboot: CommandHandler<RebootCommand> = async (command, tools, signal) => {
  const record = recordFor(tools, command)
  const running = { powerState: powerStates.running }
  const isHard = command.type === 'hard'
  if (!isHard && (await rebootedItself(command, tools, signal))) return running
  await powerOff(tools, command.serverId, signal)
  await startByRecord(tools, await withNics(tools, record, command.nics), signal)
  if (isHard) return running
  return {
    ...running,
    detail: `It did not restart within ${command.graceMs / 1000} s of being asked, so it was switched off and on.`,
  }
}

async function rebootedItself({ serverId, graceMs }: RebootCommand, tools: CommandTools, signal: AbortSignal): Promise<boolean> {
  const { hypervisor } = tools
  let rebooted = false
  const watch = hypervisor.watch((event) => {
    if (event.kind === 'rebooted' && event.serverId === serverId) rebooted = true
  })
  let wentOff = false
  const obeyed = async () => rebooted || (wentOff = isOff(await hypervisor.inspect(serverId)))
  const ask = async () => {
    if (!(await obeyed())) await hypervisor.reboot(serverId)
  }
  try {
    return (await askGuest(tools, { graceMs, ask, obeyed }, signal)) && !wentOff
  } finally {
    watch.stop()
  }
}
