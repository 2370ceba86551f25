import type { PowerStateCode } from '@nubo/contract'
import type { Hypervisor } from '@nubo/hypervisor'
import type { Clock } from '@nubo/kernel'
import type { DiskMaker } from '../guests/disk-maker.js'
import type { GuestFiles } from '../guests/guest-files.js'
import type { Images } from '../images/image-cache.js'
import type { Networks } from '../networks/networks.js'

/** What commands work with. */
export interface CommandTools {
  hypervisor: Hypervisor
  guests: GuestFiles
  disks: DiskMaker
  images: Images
  networks: Pick<Networks, 'whenPlugged'>
  clock: Clock
}

/** What was achieved. */
export interface Achievement {
  powerState: PowerStateCode
  detail?: string
}

/**
 * Carries a command out. It may be carried out again from its beginning at any time, whatever was done of it before.
 * @throws CommandFailure when it failed for good; anything else when its outcome is open. The signal fires when the command
 * is overtaken by a later one, overdue, or the agent ends.
 */
export type CommandHandler<Command> = (command: Command, tools: CommandTools, signal: AbortSignal) => Promise<Achievement>

/** Nova's power_state codes. */
export const powerStates = { none: 0, running: 1, paused: 3, shutdown: 4, crashed: 6, suspended: 7 } as const
