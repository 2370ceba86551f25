import type { StopCommand } from '@nubo/contract'
import { powerStates, type CommandHandler } from './context.js'
import { askGuest, isOff, powerOff, recordFor } from './guest-power.js'

/** Presses the power button, and pulls the plug of a guest that still runs after its grace time. */
export const stop: CommandHandler<StopCommand> = async (command, tools, signal) => {
  const { serverId, graceMs } = command
  recordFor(tools, command)
  const { hypervisor } = tools
  const request = {
    graceMs,
    ask: () => hypervisor.shutdown(serverId),
    obeyed: async () => isOff(await hypervisor.inspect(serverId)),
  }
  if (await askGuest(tools, request, signal)) return { powerState: powerStates.shutdown }
  await powerOff(tools, serverId, signal)
  return {
    powerState: powerStates.shutdown,
    detail: `It still ran ${graceMs / 1000} s after it was asked, so its plug was pulled.`,
  }
}
