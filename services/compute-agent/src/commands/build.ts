import type { BuildCommand } from '@nubo/contract'
import { CloudError } from '@nubo/kernel'
import type { GuestRecord } from '../guests/guest-files.js'
import { powerStates, type CommandHandler, type CommandTools } from './context.js'
import { CommandFailure, DeadlinePassed } from './failure.js'
import { isOff, startByRecord } from './guest-power.js'
import { patiently } from './patience.js'

const gibibyte = 1024 ** 3

/** Brings the image here, makes the guest's disks, defines and starts it. */
export const build: CommandHandler<BuildCommand> = async (command, tools, signal) => {
  const { guest, serverId, incarnation } = command
  if (guest.diskGiB > 0 && guest.image.virtualBytes > guest.diskGiB * gibibyte) {
    throw new CommandFailure('request', `The image needs a disk of ${Math.ceil(guest.image.virtualBytes / gibibyte)} GiB.`)
  }
  const there = await patiently(tools.clock, signal, () => tools.hypervisor.inspect(serverId))
  if (there && there.incarnation !== incarnation) {
    const scope = there.incarnation > incarnation ? 'superseded' : 'host'
    throw new CommandFailure(scope, `Incarnation ${there.incarnation} of this server is still on the host.`)
  }
  const record = recordOf(command, tools)
  if (!there || tools.guests.find(serverId)?.incarnation !== incarnation) await tools.guests.save(record)
  // A domain of this very incarnation was defined by this command before: its disk may have been written to.
  if (!there) await makeDisks(command, record, tools, signal)
  if (isOff(there)) await startByRecord(tools, record, signal)
  return { powerState: powerStates.running }
}

function recordOf({ guest, serverId, incarnation, fencingEpoch }: BuildCommand, { images }: CommandTools): GuestRecord {
  const { projectId, name, vcpus, memoryMiB, image, nics } = guest
  const imagePath = images.pathOf(image)
  const imageFormat = image.diskFormat
  return { serverId, projectId, incarnation, fencingEpoch, name, vcpus, memoryMiB, imagePath, imageFormat, nics }
}

async function makeDisks({ guest }: BuildCommand, record: GuestRecord, tools: CommandTools, signal: AbortSignal): Promise<void> {
  try {
    await tools.disks.make(record, guest, signal)
  } catch (error) {
    if (error instanceof DeadlinePassed) throw new CommandFailure('host', 'The image could not be brought to the host in time.')
    // A program that does not do its work here may do it on another host.
    if (error instanceof CloudError)
      throw new CommandFailure('host', `The disks could not be made: ${error.message}`, { cause: error })
    throw error
  }
}
