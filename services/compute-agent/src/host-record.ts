import { fencingEpoch } from '@nubo/contract'
import { CloudError, type HostId } from '@nubo/kernel'
import { z } from 'zod'
import type { Files } from './files.js'

const hostRecord = z.object({
  hostId: z.uuid(),
  fencingEpoch: fencingEpoch.or(z.literal(0)),
  quarantine: z.string().nullable(),
})
type Contents = z.output<typeof hostRecord>

export interface HostRecordOptions {
  files: Files
  /** The host's own directory. */
  directory: string
  hostId: HostId
  /** Looks for a reason why a person must look at this host before anything of it is removed. Told whether there was a record. */
  examine: (found: boolean) => Promise<string | undefined>
}

/**
 * Which host this directory belongs to, the epoch in which the host is, and whether it is in quarantine: what outlives the
 * agent and the machine's power.
 */
export class HostRecord {
  private constructor(
    private readonly files: Files,
    private readonly path: string,
    private contents: Contents,
  ) {}

  /** Throws `Conflict` if the directory is another host's. */
  static async open({ files, directory, hostId, examine }: HostRecordOptions): Promise<HostRecord> {
    const path = `${directory}/journal/host`
    // One that the disk does not give back is as lost as one that is gone.
    const found = readRecord(await files.read(path).catch(() => undefined))
    if (found && found.hostId !== hostId)
      throw new CloudError(
        'Conflict',
        `${directory} belongs to host ${found.hostId}, but the configuration says that this is host ${hostId}. Give the configuration the first id back, or another directory.`,
      )
    const quarantine = found?.quarantine ?? (await examine(found !== undefined)) ?? null
    const record = new HostRecord(files, path, { hostId, fencingEpoch: found?.fencingEpoch ?? 0, quarantine })
    if (!found || found.quarantine !== quarantine) await record.write()
    return record
  }

  /** The highest epoch that was ever told; 0 before the first. */
  get fencingEpoch(): number {
    return this.contents.fencingEpoch
  }

  /** Why nothing is made or removed here until a person has looked; null where there is no reason. */
  get quarantine(): string | null {
    return this.contents.quarantine
  }

  /** What a registration says of it. */
  get toldOf(): Pick<Contents, 'fencingEpoch' | 'quarantine'> {
    return { fencingEpoch: this.fencingEpoch, quarantine: this.quarantine }
  }

  /** Resolves when it is on the disk. */
  async enterEpoch(epoch: number): Promise<void> {
    if (epoch > this.contents.fencingEpoch) await this.put({ fencingEpoch: epoch })
  }

  /** A person has looked. */
  async release(): Promise<void> {
    if (this.contents.quarantine !== null) await this.put({ quarantine: null })
  }

  private async put(changes: Partial<Contents>): Promise<void> {
    this.contents = { ...this.contents, ...changes }
    await this.write()
  }

  private async write(): Promise<void> {
    await this.files.write(this.path, JSON.stringify(this.contents))
  }
}

function readRecord(text: string | undefined): Contents | undefined {
  try {
    return text === undefined ? undefined : hostRecord.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
