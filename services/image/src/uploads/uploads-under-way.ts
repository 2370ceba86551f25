import type { Readable } from 'node:stream'
import { renewUploads, type Database, type ImageFileId } from '@nubo/database'
import { CloudError, type Clock, type Timer } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'

/** Long enough for some renewals to fail; what died without a trace is seen after it at the latest. */
export const leaseSeconds = 20
const renewEveryMs = 5_000

/** One upload of this process. */
export interface UploadUnderWay {
  readonly fileId: ImageFileId
  /** Aborted once the upload lost its place: its image was deleted, or others took this process for dead. */
  readonly signal: AbortSignal
  /** So many bytes came in. */
  progressed(bytes: number): void
  /** The last byte came in: from now on it waits for us alone. */
  received(): void
  /** It ended, one way or the other. */
  end(): void
}

interface Entry {
  body: Readable
  ended: PromiseWithResolvers<void>
  controller: AbortController
  /** Until when it may be silent. */
  patienceEndsMs: number
}

/** What is expected of the sender of an upload. */
export interface UploadPace {
  /** It may send nothing for so long. */
  idleMs: number
  /** And earns with each byte what is left of that at this rate: who sends less than this on the whole is taken for gone. */
  leastBytesPerSecond: number
}

/** Keeps the leases of this process's uploads alive, and ends those that stand still, or as good as. */
export class UploadsUnderWay {
  private readonly entries = new Map<ImageFileId, Entry>()
  private timer: Timer | undefined

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly pace: UploadPace,
  ) {}

  begin(fileId: ImageFileId, body: Readable): UploadUnderWay {
    const entry: Entry = {
      body,
      ended: Promise.withResolvers(),
      controller: new AbortController(),
      patienceEndsMs: this.clock.monotonicMs() + this.pace.idleMs,
    }
    this.entries.set(fileId, entry)
    this.timer ??= this.schedule()
    return {
      fileId,
      signal: entry.controller.signal,
      progressed: (bytes) => {
        const earnedMs = (bytes / this.pace.leastBytesPerSecond) * 1_000
        entry.patienceEndsMs = Math.min(entry.patienceEndsMs + earnedMs, this.clock.monotonicMs() + this.pace.idleMs)
      },
      received: () => {
        entry.patienceEndsMs = Infinity
      },
      end: () => {
        this.entries.delete(fileId)
        entry.ended.resolve()
      },
    }
  }

  /** Their image is gone: those of these uploads that are ours end with their next chunk. */
  revoke(fileIds: readonly string[]): void {
    for (const fileId of fileIds) this.entries.get(fileId as ImageFileId)?.controller.abort()
  }

  /** Ends every upload, as a cut connection would, and waits until what it left was cleared away. */
  async endAll(): Promise<void> {
    this.timer?.cancel()
    const entries = [...this.entries.values()]
    for (const { body } of entries) body.destroy(new CloudError('Unavailable', 'The image service is stopping.'))
    await Promise.all(entries.map(({ ended }) => ended.promise))
  }

  private schedule(): Timer {
    return this.clock.after(renewEveryMs, () => void this.renew(), { background: true })
  }

  private async renew(): Promise<void> {
    this.endIdle()
    const fileIds = [...this.entries.keys()]
    if (fileIds.length > 0) {
      try {
        const renewed = new Set(await renewUploads(this.db, fileIds, leaseSeconds))
        this.revoke(fileIds.filter((fileId) => !renewed.has(fileId)))
      } catch (error) {
        this.logger.warn({ err: error, uploads: fileIds.length }, 'uploads cannot be renewed')
      }
    }
    this.timer = this.entries.size > 0 ? this.schedule() : undefined
  }

  private endIdle(): void {
    const now = this.clock.monotonicMs()
    for (const { body, patienceEndsMs } of this.entries.values()) {
      if (now > patienceEndsMs) body.destroy(new CloudError('Invalid', 'The upload sent too little for too long.'))
    }
  }
}
