import type { ImageSource } from '@nubo/contract'
import { Limiter, type Clock } from '@nubo/kernel'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { CommandFailure } from '../commands/failure.js'
import type { Machine } from '../machine.js'
import type { ImageClient } from './image-client.js'
import { ImageDownload } from './image-download.js'

/** Images on this host, for overlays to stand on. */
export interface Images {
  /** Where the image lies, or will. Derived from its id, its hash and its format: other contents never have the same name. */
  pathOf(source: ImageSource): string
  /**
   * Resolves when the image is there and was checked. Whoever asks must have made known before that a guest stands on it.
   * @throws CommandFailure; the signal's reason when it fires.
   */
  fetch(source: ImageSource, signal: AbortSignal): Promise<void>
  /** Drops images that no guest stands on, longest unused first, until so many bytes are free beside the reserve. */
  makeRoom(neededBytes: number): Promise<void>
  /** How many images there are, what they take, and what is left. */
  weigh(): Promise<{ images: { count: number; bytes: number }; freeBytes: number }>
}

export interface ImageCacheOptions {
  directory: string
  minimumFreeBytes: number
  client: ImageClient
  clock: Clock
  machine: Machine
  /** The paths of images that guests stand on, or are about to. */
  inUse: () => ReadonlySet<string>
  onTrouble: (message: string, path: string) => void
  /** Told of every image that was asked for: it was there, it came, or it did not. */
  onAsked?: (outcome: 'there' | 'fetched' | 'failed') => void
}

/** What a cache holds, parts of images on their way included. */
export interface CacheUse {
  images: number
  bytes: number
}

interface Flight {
  source: ImageSource
  waiting: number
  abort: AbortController
  arrival: Promise<void>
  /** Its room on the disk was found, and is kept for it. */
  admitted: boolean
}

const partSuffix = '.part'

/** Fetches each image once, however many guests ask for it, and drops those longest unused when disk is short. */
export class ImageCache implements Images {
  private readonly flights = new Map<string, Flight>()
  /** Room is found for one after the other: what two find at the same time is there once. */
  private readonly admission = new Limiter(1)

  private constructor(private readonly options: ImageCacheOptions) {}

  static async open(options: ImageCacheOptions): Promise<ImageCache> {
    // QEMU's user reads what lies here by name, and need not know what else there is.
    await mkdir(options.directory, { recursive: true, mode: 0o711 })
    return new ImageCache(options)
  }

  pathOf({ imageId, sha512, diskFormat }: ImageSource): string {
    return `${this.options.directory}/${imageId}-${sha512.slice(0, 32)}.${diskFormat}`
  }

  async fetch(source: ImageSource, signal: AbortSignal): Promise<void> {
    const path = this.pathOf(source)
    await this.untilLanded(path)
    if (await exists(path)) {
      this.options.onAsked?.('there')
      return await this.touch(path)
    }
    const flight = this.flights.get(path) ?? this.takeOff(path, source)
    flight.source = source
    flight.waiting++
    try {
      await orAborted(flight.arrival, signal)
      this.options.onAsked?.('fetched')
    } catch (error) {
      this.options.onAsked?.('failed')
      throw error
    } finally {
      if (--flight.waiting === 0) flight.abort.abort(new Error('nobody waits for the image any more'))
    }
  }

  async use(): Promise<CacheUse> {
    const { directory } = this.options
    const names = await readdir(directory)
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(`${directory}/${name}`).catch(() => undefined))?.size ?? 0),
    )
    return {
      images: names.filter((name) => !name.endsWith(partSuffix)).length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
    }
  }

  async makeRoom(neededBytes: number): Promise<void> {
    if (!(await this.isShort(neededBytes))) return
    for (const path of await this.evictable()) {
      await rm(path, { force: true })
      if (!(await this.isShort(neededBytes))) return
    }
  }

  private async isShort(neededBytes: number): Promise<boolean> {
    const { directory, machine, minimumFreeBytes } = this.options
    const awaited = [...this.flights].filter(([, { admitted }]) => admitted)
    const toCome = await Promise.all(awaited.map(([path, { source }]) => missingBytes(path, source)))
    const spokenFor = toCome.reduce((sum, bytes) => sum + bytes, minimumFreeBytes)
    return (await machine.freeBytes(directory)) < neededBytes + spokenFor
  }

  async weigh(): Promise<{ images: { count: number; bytes: number }; freeBytes: number }> {
    const { directory, machine } = this.options
    const sizes = (await readdir(directory)).map(
      async (name) => (await stat(`${directory}/${name}`).catch(() => undefined))?.size ?? 0,
    )
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    return { images: { count: sizes.length, bytes }, freeBytes: await machine.freeBytes(directory) }
  }

  /** A flight that everybody left comes to its end before another may write to the same file. */
  private async untilLanded(path: string): Promise<void> {
    for (let flight = this.flights.get(path); flight?.abort.signal.aborted; flight = this.flights.get(path)) {
      await flight.arrival.catch(() => undefined)
    }
  }

  private takeOff(path: string, source: ImageSource): Flight {
    const abort = new AbortController()
    const flight: Flight = { source, waiting: 0, abort, arrival: Promise.resolve(), admitted: false }
    flight.arrival = this.download(path, flight).finally(() => this.flights.delete(path))
    // Whoever waits is told; that nobody does is no error.
    flight.arrival.catch(() => undefined)
    this.flights.set(path, flight)
    return flight
  }

  private async download(path: string, flight: Flight): Promise<void> {
    const { client, clock, onTrouble } = this.options
    const partPath = path + partSuffix
    await this.admission.run(() => this.admit(path, flight))
    await new ImageDownload({
      ...{ client, clock, partPath, signal: flight.abort.signal },
      source: () => flight.source,
      onTrouble: (message) => onTrouble(message, path),
    })
      .run()
      .catch((error: unknown) => dropUseless(partPath, error))
    // All of it is here.
    flight.admitted = false
    await rename(partPath, path)
  }

  private async admit(path: string, flight: Flight): Promise<void> {
    const neededBytes = await missingBytes(path, flight.source)
    await this.makeRoom(neededBytes)
    if (await this.isShort(neededBytes)) {
      throw new CommandFailure('host', 'The host has no room for the image, and no image that could be dropped for it.')
    }
    flight.admitted = true
  }

  /** When it was last used is its modification time. */
  private async touch(path: string): Promise<void> {
    const now = this.options.clock.now()
    await utimes(path, now, now)
  }

  private async evictable(): Promise<string[]> {
    const { directory, inUse } = this.options
    const used = inUse()
    const found: { path: string; usedMs: number }[] = []
    for (const name of await readdir(directory)) {
      const path = `${directory}/${name}`
      const image = name.endsWith(partSuffix) ? path.slice(0, -partSuffix.length) : path
      if (this.flights.has(image) || (image === path && used.has(path))) continue
      found.push({ path, usedMs: (await stat(path)).mtimeMs })
    }
    return found.sort((a, b) => a.usedMs - b.usedMs).map(({ path }) => path)
  }
}

/** What has not arrived yet of the image that will lie here. */
async function missingBytes(path: string, { sizeBytes }: ImageSource): Promise<number> {
  const there = (await stat(path + partSuffix).catch(() => undefined))?.size ?? 0
  return Math.max(0, sizeBytes - there)
}

/** What was interrupted is gone on with; where more tries do not help, what came of the image is of no use to anybody. */
async function dropUseless(partPath: string, error: unknown): Promise<never> {
  if (error instanceof CommandFailure) await rm(partPath, { force: true })
  throw error
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
