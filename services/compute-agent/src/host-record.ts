import { fencingEpoch } from '@nubo/contract'
import { CloudError, type HostId } from '@nubo/kernel'
import { z } from 'zod'
import type { Files } from './files.js'

const hostRecord = z.object({ hostId: z.uuid(), fencingEpoch: fencingEpoch.or(z.literal(0)) })
type Contents = z.output<typeof hostRecord>

export interface HostRecordOptions {
  files: Files
  /** The host's own directory. */
  directory: string
  hostId: HostId
}

/** Which host this directory belongs to, and the epoch in which the host is: it outlives the agent and the machine's power. */
export class HostRecord {
  private constructor(
    private readonly files: Files,
    private readonly path: string,
    private contents: Contents,
  ) {}

  /** Throws `Conflict` if the directory is another host's. */
  static async open({ files, directory, hostId }: HostRecordOptions): Promise<HostRecord> {
    const path = `${directory}/journal/host`
    const found = readRecord(await files.read(path))
    if (found && found.hostId !== hostId)
      throw new CloudError(
        'Conflict',
        `${directory} belongs to host ${found.hostId}, but the configuration says that this is host ${hostId}. Give the configuration the first id back, or another directory.`,
      )
    const record = new HostRecord(files, path, found ?? { hostId, fencingEpoch: 0 })
    if (!found) await record.write()
    return record
  }

  /** The highest epoch that was ever told; 0 before the first. */
  get fencingEpoch(): number {
    return this.contents.fencingEpoch
  }

  /** Resolves when it is on the disk. */
  async enterEpoch(epoch: number): Promise<void> {
    if (epoch <= this.contents.fencingEpoch) return
    this.contents = { ...this.contents, fencingEpoch: epoch }
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
