import type { AttachInterfaceCommand, DetachInterfaceCommand } from '@nubo/contract'
import { CloudError, type PortId, type ServerId } from '@nubo/kernel'
import { powerStateCode } from '../reports/power-state.js'
import type { GuestRecord } from '../guests/guest-files.js'
import type { Achievement, CommandHandler, CommandTools } from './context.js'
import { CommandFailure, DeadlinePassed } from './failure.js'
import { recordFor, refusalOf, withNics } from './guest-power.js'
import { patiently } from './patience.js'
import { plugIn } from './plug-in.js'

/** Plugs an interface into the guest as it is, and into its next starts. */
export const attachInterface: CommandHandler<AttachInterfaceCommand> = async (command, tools, signal) => {
  const { nic, serverId } = command
  const record = recordFor(tools, command)
  const [plugged] = await plugIn(tools, [nic], signal)
  await withNics(tools, record, [...otherNics(record, nic.portId), nic])
  await change(tools, signal, () => tools.hypervisor.attachNic(serverId, plugged!))
  return await asItIs(serverId, tools, signal)
}

/** Takes an interface off the guest, and off its next starts. */
export const detachInterface: CommandHandler<DetachInterfaceCommand> = async (command, tools, signal) => {
  const { portId, serverId } = command
  const record = recordFor(tools, command)
  try {
    await change(tools, signal, () => tools.hypervisor.detachNic(serverId, portId))
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error
    throw new CommandFailure('request', 'The guest did not let go of the interface in time: is it running an operating system?')
  }
  await withNics(tools, record, otherNics(record, portId))
  return await asItIs(serverId, tools, signal)
}

function otherNics({ nics }: GuestRecord, portId: PortId) {
  return nics.filter((nic) => nic.portId !== portId)
}

/** A guest that no hypervisor knows is off: its next start is by its record. */
async function change({ clock }: CommandTools, signal: AbortSignal, action: () => Promise<void>): Promise<void> {
  try {
    await patiently(clock, signal, action)
  } catch (error) {
    if (!(error instanceof CloudError && error.kind === 'NotFound')) throw refusalOf(error)
  }
}

async function asItIs(serverId: ServerId, { clock, hypervisor }: CommandTools, signal: AbortSignal): Promise<Achievement> {
  const guest = await patiently(clock, signal, () => hypervisor.inspect(serverId))
  return { powerState: powerStateCode(guest?.powerState) }
}
