import type { DestroyCommand } from '@nubo/contract'
import type { ServerId } from '@nubo/kernel'
import { powerStates, type CommandHandler, type CommandTools } from './context.js'
import { powerOff } from './guest-power.js'
import { patiently } from './patience.js'

/** Removes a server's guest up to an incarnation, with its disks. Resolves too where nothing was found. */
export const destroy: CommandHandler<DestroyCommand> = async ({ serverId, incarnation }, tools, signal) => {
  await removeUpTo(serverId, incarnation, tools, signal)
  return { powerState: powerStates.none }
}

export async function removeUpTo(
  serverId: ServerId,
  incarnation: number,
  tools: Pick<CommandTools, 'hypervisor' | 'guests' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const { hypervisor, guests, clock } = tools
  const there = await patiently(clock, signal, () => hypervisor.inspect(serverId))
  if (there && there.incarnation <= incarnation) {
    await powerOff(tools, serverId, signal)
    await patiently(clock, signal, () => hypervisor.undefine(serverId))
  }
  await guests.remove(serverId, incarnation)
}
