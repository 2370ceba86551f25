import type { GuestNicSpecification } from '@nubo/contract'
import type { GuestNic } from '@nubo/hypervisor'
import type { CommandTools } from './context.js'
import { CommandFailure, DeadlinePassed } from './failure.js'

/**
 * The interfaces with where each is plugged in, as soon as this host has all their ports in force: what may pass them is set
 * before a guest's first packet. Throws CommandFailure if the plan that has them did not come in time.
 */
export async function plugIn(
  { networks }: Pick<CommandTools, 'networks'>,
  nics: readonly GuestNicSpecification[],
  signal: AbortSignal,
): Promise<GuestNic[]> {
  if (nics.length === 0) return []
  try {
    const found = await Promise.all(nics.map(({ portId }) => networks.whenPlugged(portId, signal)))
    return nics.map(({ portId, mac, mtu }, index) => ({ portId, mac, mtu, ...found[index]! }))
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error
    throw new CommandFailure('host', 'The host did not have the networks of this server ready in time.', { cause: error })
  }
}
