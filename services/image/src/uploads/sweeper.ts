import { forgetFile, removedFiles, returnCutOffUploads, uploadWriters, type Database, type ImageFileId } from '@nubo/database'
import type { Clock, Timer } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import type { ImageStore } from '../store/image-store.js'
import { isKnownDead } from '../store/process-identity.js'

const sweepEveryMs = 10_000

/**
 * Ends what others left half done: returns the images of cut-off uploads to the queue and removes files that nothing refers
 * to. It acts on records alone: a file that no record marks as removed is not touched.
 */
export class Sweeper {
  private timer: Timer | undefined
  private stopped = false

  constructor(
    private readonly db: Database,
    private readonly store: ImageStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Sweeps now and from then on. A sweep that fails is told in the log, and made again. */
  async start(): Promise<void> {
    await this.sweep().catch((error: unknown) => this.logger.warn({ err: error }, 'sweeping failed'))
    if (!this.stopped) this.timer = this.clock.after(sweepEveryMs, () => void this.start(), { background: true })
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  async sweep(): Promise<void> {
    const writers = await uploadWriters(this.db)
    const returned = await this.db.transaction((tx) => returnCutOffUploads(tx, writers.filter(isKnownDead)))
    for (const imageId of returned) this.logger.info({ imageId }, 'an upload was cut off: the image is queued again')
    for (const fileId of await removedFiles(this.db)) await this.remove(fileId)
  }

  /** Removes one file that its record marks as removed, and the record. Failure leaves both for the next sweep. */
  async remove(fileId: ImageFileId): Promise<void> {
    try {
      await this.store.remove(fileId)
      await forgetFile(this.db, fileId)
    } catch (error) {
      this.logger.warn({ err: error, fileId }, 'a file of a removed image cannot be removed yet')
    }
  }
}
