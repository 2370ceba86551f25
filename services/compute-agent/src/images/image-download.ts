import type { ImageSource } from '@nubo/contract'
import type { Clock } from '@nubo/kernel'
import { createHash, type Hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { CommandFailure } from '../commands/failure.js'
import type { ImageAnswer, ImageClient } from './image-client.js'

export interface ImageDownloadOptions {
  client: ImageClient
  clock: Clock
  /** Where it grows; what is there already is taken up again. */
  partPath: string
  /** The newest credential for it: the first may have run out meanwhile. */
  source: () => ImageSource
  signal: AbortSignal
  onTrouble: (message: string) => void
}

/** No byte for so long is an interruption. */
const silenceMs = 30_000
const retryMs = { first: 200, longest: 10_000 }
/** Damaged more often than this, it is not the way that damages it. */
const damagesAllowed = 1

/**
 * Fetches an image into a file and holds it against its size and hash, which are taken while it streams. Goes on after
 * interruptions where it stood, or begins again, until `signal` fires. Throws CommandFailure when more tries do not help.
 */
export class ImageDownload {
  private hash: Hash = createHash('sha512')
  private offset = 0
  private damages = 0

  constructor(private readonly options: ImageDownloadOptions) {}

  async run(): Promise<void> {
    const file = await open(this.options.partPath, 'a+', 0o600)
    try {
      await this.takeUp(file)
      for (let pauseMs = retryMs.first; ; pauseMs = Math.min(pauseMs * 2, retryMs.longest)) {
        const before = this.offset
        if (await this.attempt(file)) break
        if (this.offset > before) pauseMs = retryMs.first
        await this.options.clock.sleep(pauseMs, this.options.signal)
      }
      await file.chmod(0o644)
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /** The hash of what an earlier try left. */
  private async takeUp(file: FileHandle): Promise<void> {
    if ((await file.stat()).size > this.options.source().sizeBytes) return await this.beginAgain(file)
    for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) this.count(chunk as Buffer)
  }

  /** True when all of it is there and right. */
  private async attempt(file: FileHandle): Promise<boolean> {
    const silence = new AbortController()
    const signal = AbortSignal.any([this.options.signal, silence.signal])
    try {
      if (this.offset < this.options.source().sizeBytes) await this.receive(file, signal, silence)
      return await this.check(file)
    } catch (error) {
      this.options.signal.throwIfAborted()
      if (error instanceof CommandFailure) throw error
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        throw new CommandFailure('host', 'The host has no room for the image.', { cause: error })
      }
      this.options.onTrouble(silence.signal.aborted ? `nothing came for ${silenceMs} ms` : (error as Error).message)
      return false
    }
  }

  private async receive(file: FileHandle, signal: AbortSignal, silence: AbortController): Promise<void> {
    const { client, source, clock } = this.options
    let watchdog = clock.after(silenceMs, () => silence.abort())
    try {
      const { url, credential, sizeBytes } = source()
      const answer = await client({ url, credential, offset: this.offset, signal })
      await this.accept(file, answer)
      for await (const chunk of answer.body) {
        watchdog.cancel()
        watchdog = clock.after(silenceMs, () => silence.abort())
        if (this.offset + chunk.length > sizeBytes) throw await this.damaged(file, 'it is longer than its record says')
        await file.appendFile(chunk)
        this.count(chunk)
      }
    } finally {
      watchdog.cancel()
    }
  }

  /** Makes the file end where the answer begins, or throws for an answer that brings no bytes. */
  private async accept(file: FileHandle, { status, startsAt }: ImageAnswer): Promise<void> {
    const { imageId } = this.options.source()
    if (status === 404 || status === 410)
      throw new CommandFailure(
        'request',
        `Image ${imageId} could not be found: it was deleted before the server was built from it.`,
      )
    if (status === 403) throw new CommandFailure('request', `Image ${imageId} may not be used any more: it was deactivated.`)
    if (status === 416) await this.beginAgain(file)
    if (status !== 200 && status !== 206) throw new Error(`the image service answered ${status}`)
    if (startsAt !== this.offset) {
      await this.beginAgain(file)
      if (startsAt !== 0) throw new Error('the image service sent another part than was asked for')
    }
  }

  private async check(file: FileHandle): Promise<boolean> {
    const { sizeBytes, sha512 } = this.options.source()
    if (this.offset < sizeBytes) throw new Error(`it ended after ${this.offset} of ${sizeBytes} bytes`)
    if (this.hash.copy().digest('hex') === sha512) return true
    throw await this.damaged(file, 'its hash is not that of its record')
  }

  private async damaged(file: FileHandle, why: string): Promise<Error> {
    await this.beginAgain(file)
    if (++this.damages <= damagesAllowed) return new Error(why)
    return new CommandFailure('host', `The image arrived damaged ${this.damages} times: ${why}.`)
  }

  private async beginAgain(file: FileHandle): Promise<void> {
    await file.truncate(0)
    this.hash = createHash('sha512')
    this.offset = 0
  }

  private count(chunk: Uint8Array): void {
    this.hash.update(chunk)
    this.offset += chunk.length
  }
}
