import { failure, fence, incarnation, operationId, powerState, sessionId, stepId, type ServerCommand } from '@nubo/contract'
import { CloudError, type Clock, type ServerId } from '@nubo/kernel'
import { z } from 'zod'
import { powerStates } from './commands/context.js'
import type { Files } from './files.js'

const outcome = z.discriminatedUnion('state', [
  z.object({ state: z.literal('done'), powerState, detail: z.string().optional() }),
  z.object({ state: z.literal('failed'), powerState, failure }),
])
/** How a command ended. */
export type Outcome = z.output<typeof outcome>

/** Nothing of the command but what names it: what it carried may be secret. */
const journalEntry = z.object({
  /** The highest that was accepted. */
  fence,
  /** Of the command with that fence. */
  kind: z.enum(['build', 'destroy', 'start', 'stop', 'reboot', 'attach-interface', 'detach-interface']),
  incarnation,
  stepId,
  operationId,
  /** Absent while the command is under way, or was when the agent ended. */
  result: z
    .object({
      outcome,
      /** When it was seen, in the count of the session in which it was seen. */
      sessionId,
      sequence: z.int().positive(),
      /** Of the host, when it was seen. */
      bootId: z.string().optional(),
      /** The conductor has it: it need not be repeated. */
      acknowledged: z.boolean(),
    })
    .optional(),
  /** No guest of this incarnation or a lower one may be here, whenever it turns up. */
  tombstone: z.object({ incarnation, madeAt: z.iso.datetime() }).optional(),
})
export type JournalEntry = z.output<typeof journalEntry>

/** How long a tombstone stands after its destruction was acknowledged: far longer than any message lives. */
const tombstoneMs = 24 * 60 * 60_000

/** Takes more room than an entry. */
const probe = ' '.repeat(16_384)

export interface JournalOptions {
  files: Files
  directory: string
  clock: Clock
  /** Differs after the host itself was started again. */
  bootId: string
  /** Told of a file that cannot be read, and was set aside. */
  onBroken: (path: string) => void
}

/**
 * What was asked of this host for each server, and how it ended: written before the deed, and the result kept until the
 * conductor has committed it. One small file a server.
 */
export class Journal {
  private readonly entries = new Map<ServerId, JournalEntry>()
  /** Servers whose entries could not be read when this journal was opened. */
  readonly setAside = new Set<ServerId>()
  private readonly writing = new Map<ServerId, Promise<void>>()
  /** False from a write that failed to one that did not. */
  private canWrite = true

  private constructor(private readonly options: JournalOptions) {}

  /** Reads what an earlier agent left. */
  static async open(options: JournalOptions): Promise<Journal> {
    const journal = new Journal(options)
    const { files, directory } = options
    await files.makeDirectory(directory, 0o700)
    for (const name of await files.list(directory)) {
      if (name.endsWith('.json')) await journal.load(name)
      // A write that the power cut: what it was to take the place of is still there, or nothing was promised yet.
      if (name.endsWith('.new')) await files.remove(`${directory}/${name}`)
    }
    await journal.forgetOldTombstones()
    return journal
  }

  /** Whether the last write got through. */
  get takesNotes(): boolean {
    return this.canWrite
  }

  get directory(): string {
    return this.options.directory
  }

  get(serverId: ServerId): JournalEntry | undefined {
    return this.entries.get(serverId)
  }

  /** Everyone of whom something is noted. */
  servers(): ServerId[] {
    return [...this.entries.keys()]
  }

  /** Results that the conductor may not have. */
  unacknowledged(): ServerId[] {
    return [...this.entries].filter(([, { result }]) => result && !result.acknowledged).map(([serverId]) => serverId)
  }

  /** Takes note of a command that is about to be carried out; resolves when the note is on the disk. */
  accept({ serverId, fence, kind, incarnation, stepId, operationId }: ServerCommand): Promise<void> {
    const tombstone = this.tombstoneAfter(serverId, kind, incarnation)
    return this.put(serverId, { fence, kind, incarnation, stepId, operationId, ...(tombstone && { tombstone }) })
  }

  /** Notes how the command with this fence ended. False if a higher one was accepted since. */
  async end(
    serverId: ServerId,
    fence: number,
    result: Omit<NonNullable<JournalEntry['result']>, 'acknowledged' | 'bootId'>,
  ): Promise<boolean> {
    const entry = this.entries.get(serverId)
    if (!entry || entry.fence !== fence) return false
    const { bootId } = this.options
    await this.put(serverId, { ...entry, result: { ...result, bootId, acknowledged: false } })
    return true
  }

  async acknowledge(serverId: ServerId, fence: number): Promise<void> {
    const entry = this.entries.get(serverId)
    if (!entry?.result || entry.fence !== fence || entry.result.acknowledged) return
    await this.put(serverId, { ...entry, result: { ...entry.result, acknowledged: true } })
  }

  /** No guest of this incarnation or a lower one is to be here any more, by the word of who answered a registration. */
  async bury(serverId: ServerId, incarnation: number): Promise<void> {
    const entry = this.entries.get(serverId)
    // A server of which nothing was ever asked here has no command that could bring it back.
    if (!entry || this.tombstoneOf(serverId) >= incarnation) return
    await this.put(serverId, { ...entry, tombstone: { incarnation, madeAt: this.options.clock.now().toISOString() } })
  }

  /** The incarnation up to which every guest of this server is to be gone; 0 where none is. */
  tombstoneOf(serverId: ServerId): number {
    return this.entries.get(serverId)?.tombstone?.incarnation ?? 0
  }

  /**
   * Rejects with `Unavailable` while nothing can be written here, as on a full disk: what a host cannot note it does not do.
   */
  async mustTakeNotes(): Promise<void> {
    if (this.takesNotes) return
    const { files, directory } = this.options
    try {
      await files.write(`${directory}/probe`, probe)
      await files.remove(`${directory}/probe`)
    } catch (error) {
      throw new CloudError('Unavailable', `Nothing can be written to ${directory}: ${(error as Error).message}`, { cause: error })
    }
    this.canWrite = true
  }

  /** Drops what was destroyed long ago; what was destroyed by a command, once that is acknowledged. */
  async forgetOldTombstones(): Promise<void> {
    const now = this.options.clock.now().getTime()
    for (const [serverId, { kind, incarnation, result, tombstone }] of this.entries) {
      const old = tombstone && incarnation <= tombstone.incarnation && now - Date.parse(tombstone.madeAt) > tombstoneMs
      if (!old || (kind === 'destroy' && !result?.acknowledged)) continue
      this.entries.delete(serverId)
      // A command that comes meanwhile is noted after it, and not taken away with it.
      await this.inTurn(serverId, () => this.options.files.remove(this.path(serverId)))
    }
  }

  /**
   * A fence that was lost with its file does no harm: commands are of a session, and a new one has begun before any is
   * taken. What was under way is asked for again. But a person looks at it (`lost-journal.ts`).
   */
  private async load(name: string): Promise<void> {
    const { files, directory, onBroken } = this.options
    const path = `${directory}/${name}`
    const parsed = journalEntry.safeParse(parseJson(await files.read(path).catch(() => undefined)))
    const serverId = name.slice(0, -'.json'.length) as ServerId
    if (parsed.success) return void this.entries.set(serverId, this.ofThisBoot(parsed.data))
    this.setAside.add(serverId)
    await files.rename(path, `${path}.broken`)
    onBroken(path)
  }

  /**
   * A guest that was started does not run any more when its host was started again. Where nobody has heard that it ran, it
   * is to be started again: its command is as one that was under way.
   */
  private ofThisBoot({ result, ...entry }: JournalEntry): JournalEntry {
    const isOver =
      result && !result.acknowledged && result.outcome.powerState === powerStates.running && result.bootId !== this.options.bootId
    return isOver ? entry : { ...entry, result }
  }

  private tombstoneAfter(serverId: ServerId, kind: ServerCommand['kind'], incarnation: number): JournalEntry['tombstone'] {
    const before = this.entries.get(serverId)?.tombstone
    if (kind !== 'destroy') return before
    const madeAt = this.options.clock.now().toISOString()
    return { incarnation: Math.max(incarnation, before?.incarnation ?? 0), madeAt }
  }

  /** In memory at once, so that the next message sees it; on the disk in the order of the changes. */
  private put(serverId: ServerId, entry: JournalEntry): Promise<void> {
    this.entries.set(serverId, entry)
    const text = JSON.stringify(entry)
    return this.inTurn(serverId, () => this.write(this.path(serverId), text))
  }

  private write(path: string, text: string): Promise<void> {
    const written = this.options.files.write(path, text)
    written.then(
      () => (this.canWrite = true),
      () => (this.canWrite = false),
    )
    return written
  }

  private inTurn(serverId: ServerId, change: () => Promise<void>): Promise<void> {
    const before = this.writing.get(serverId) ?? Promise.resolve()
    const mine = before.catch(() => undefined).then(change)
    this.writing.set(serverId, mine)
    const forget = () => {
      if (this.writing.get(serverId) === mine) this.writing.delete(serverId)
    }
    mine.then(forget, forget)
    return mine
  }

  private path(serverId: ServerId): string {
    return `${this.options.directory}/${serverId}.json`
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
