import { access } from 'node:fs/promises'
import type { DiskPart, GuestSpecification } from '@nubo/contract'
import { createConfigDrive, createOverlay, type ProcessRunner } from '@nubo/hypervisor'
import type { Random } from '@nubo/kernel'
import { metadataOf } from '../metadata/guest-metadata.js'
import type { Images } from '../images/image-cache.js'
import type { GuestFiles, GuestRecord } from './guest-files.js'

/** Makes what a guest starts from. */
export interface DiskMaker {
  /**
   * Makes the disk and the config drive of a guest that has a record; what is there is made anew.
   * @throws CommandFailure, `Unavailable`, or the signal's reason when it fires.
   */
  make(record: GuestRecord, guest: GuestSpecification, signal: AbortSignal): Promise<void>
  /** What was made, or stood upon, and is not there any more. */
  lacks(record: GuestRecord): Promise<DiskPart[]>
}

const gibibyte = 1024 ** 3
/** As Nova's: what seeds the guest's random source at its first boot. */
const randomSeedBytes = 512

export class OverlayDiskMaker implements DiskMaker {
  constructor(
    private readonly guests: GuestFiles,
    private readonly images: Images,
    private readonly processes: ProcessRunner,
    private readonly random: Random,
  ) {}

  async make(record: GuestRecord, guest: GuestSpecification, signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.makeDisk(record, guest, signal),
      this.makeConfigDrive(record, guest),
      this.keepMetadata(record, guest),
    ])
  }

  async lacks(record: GuestRecord): Promise<DiskPart[]> {
    const paths = { disk: this.guests.diskPath(record), image: record.imagePath }
    const parts = Object.entries(paths).map(async ([part, path]) => ((await isThere(path)) ? [] : [part as DiskPart]))
    return (await Promise.all(parts)).flat()
  }

  private async makeDisk(record: GuestRecord, guest: GuestSpecification, signal: AbortSignal): Promise<void> {
    await this.images.fetch(guest.image, signal)
    const sizeBytes = guest.diskGiB > 0 ? guest.diskGiB * gibibyte : guest.image.virtualBytes
    const backing = { path: record.imagePath, format: record.imageFormat }
    await createOverlay(this.processes, { path: this.guests.diskPath(record), backing, sizeBytes })
  }

  private async keepMetadata(record: GuestRecord, { configDrive, flavorName, image }: GuestSpecification): Promise<void> {
    await this.guests.saveMetadata(record, metadataOf(configDrive, { flavorName, imageId: image.imageId }))
  }

  private async makeConfigDrive(record: GuestRecord, { configDrive }: GuestSpecification): Promise<void> {
    const seed = this.random.bytes(randomSeedBytes).toString('base64')
    const contents = { ...configDrive, metaData: { ...configDrive.metaData, random_seed: seed } }
    await createConfigDrive(this.processes, {
      path: this.guests.configDrivePath(record),
      contents,
      directory: this.guests.directoryOf(record),
    })
  }
}

/** For hosts on which nothing runs. */
export const noDisks: DiskMaker = { make: async () => undefined, lacks: async () => [] }

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
