import {
  forgetFile,
  hasFilesToSweep,
  removedFiles,
  returnCutOffUploads,
  uploadWriters,
  type Database,
  type ImageFileId,
} from '@nubo/database'
import { Rounds, type Clock } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import type { ImageStore } from '../store/image-store.js'
import { isKnownDead } from '../store/process-identity.js'

const sweepEveryMs = 10_000

/**
 * Ends what others left half done: returns the images of cut-off uploads to the queue and removes files that nothing refers
 * to. It acts on records alone: a file that no record marks as removed is not touched.
 */
export class Sweeper {
  private readonly rounds: Rounds

  constructor(
    private readonly db: Database,
    private readonly store: ImageStore,
    clock: Clock,
    private readonly logger: Logger,
  ) {
    const onError = (error: unknown) => logger.warn({ err: error }, 'sweeping failed')
    this.rounds = new Rounds(() => this.sweep(), { clock, pauseMs: sweepEveryMs, onError })
  }

  /** Sweeps from now on; resolves after the first time. A sweep that fails is told in the log, and made again. */
  async start(): Promise<void> {
    await this.rounds.start({ now: true })
  }

  async stop(): Promise<void> {
    await this.rounds.stop()
  }

  async sweep(): Promise<void> {
    // Nearly always there is nothing, and one question tells.
    if (!(await hasFilesToSweep(this.db))) return
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
