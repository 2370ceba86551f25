import { guestNic } from '@nubo/contract'
import type { GuestDefinition, GuestNic } from '@nubo/hypervisor'
import type { ServerId } from '@nubo/kernel'
import { z } from 'zod'
import { removedSuffix, type Files } from '../files.js'
import { guestMetadata, type GuestMetadata } from '../metadata/guest-metadata.js'
import { GuestPasswords, type GuestPassword } from './guest-passwords.js'

/** All that is needed to define a guest again, kept beside its disk. */
const guestRecord = z.object({
  serverId: z.uuid(),
  projectId: z.string(),
  incarnation: z.int().positive(),
  fencingEpoch: z.int().positive(),
  name: z.string(),
  vcpus: z.int().positive(),
  memoryMiB: z.int().positive(),
  /** The image that the disk stands on, as long as this record is here. */
  imagePath: z.string(),
  imageFormat: z.enum(['raw', 'qcow2']),
  /** Where they are plugged in is the plan's to say, at each start anew. */
  nics: z.array(guestNic).default([]),
})
export type GuestRecord = z.output<typeof guestRecord>

const recordName = 'guest.json'
const diskName = 'disk.qcow2'
const metadataName = 'metadata.json'
const passwordName = 'password.json'
/** Of a directory of ours: a server's id and an incarnation. */
const guestDirectory = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+$/

/**
 * A directory for each incarnation of a server that has something on this host: its disk, its config drive and its record.
 * The records say which guests are supposed to be here, and which images their disks stand on.
 */
export class GuestFiles {
  private readonly records = new Map<string, GuestRecord>()
  /** Of guests that have asked: a boot asks some sixty times. */
  private readonly metadata = new Map<string, GuestMetadata>()
  private readonly passwords: GuestPasswords
  private onPassword: ((record: GuestRecord) => void) | undefined

  private constructor(
    private readonly files: Files,
    readonly directory: string,
  ) {
    this.passwords = new GuestPasswords(files)
  }

  /**
   * Reads what is there. The record is written before the disk: a directory of ours with neither was being made, and is
   * removed.
   * @param onBroken told of what is left to a person: a disk without a record that can be read, and whatever is not ours.
   */
  static async open(files: Files, directory: string, onBroken: (path: string) => void): Promise<GuestFiles> {
    const guests = new GuestFiles(files, directory)
    // QEMU's user finds its disk by name, and need not know what else there is.
    await files.makeDirectory(directory, 0o711)
    for (const name of await files.list(directory)) {
      const path = `${directory}/${name}`
      if (guestDirectory.test(name)) await guests.load(path, onBroken)
      else if (guestDirectory.test(withoutSuffix(name))) await files.remove(path)
      else onBroken(path)
    }
    return guests
  }

  private async load(path: string, onBroken: (path: string) => void): Promise<void> {
    // What the disk does not give back is left as it is, and keeps no other guest from its host.
    const contents = await this.files.list(path).catch(() => [recordName])
    const record = readRecord(await this.files.read(`${path}/${recordName}`).catch(() => undefined))
    if (record) return await this.adopt(record, onBroken)
    if (contents.includes(diskName) || contents.includes(recordName)) return onBroken(path)
    await this.files.remove(path)
  }

  /** Of a guest that an earlier agent made. A password that cannot be read keeps no guest from its host. */
  private async adopt(record: GuestRecord, onBroken: (path: string) => void): Promise<void> {
    this.records.set(nameOf(record), record)
    const path = this.pathOf(record, passwordName)
    if (!(await this.passwords.load(path))) onBroken(path)
  }

  all(): GuestRecord[] {
    return [...this.records.values()]
  }

  /** The highest incarnation of a server that is here. */
  find(serverId: ServerId): GuestRecord | undefined {
    return this.all()
      .filter((record) => record.serverId === serverId)
      .reduce<GuestRecord | undefined>(
        (best, record) => (best && best.incarnation > record.incarnation ? best : record),
        undefined,
      )
  }

  /** Makes the guest's directory. From now on its image is in use. */
  async save(record: GuestRecord): Promise<void> {
    this.records.set(nameOf(record), record)
    await this.files.makeDirectory(this.directoryOf(record), 0o711)
    await this.files.write(`${this.directoryOf(record)}/${recordName}`, JSON.stringify(record))
  }

  /** Removes a server's disks and records up to an incarnation. */
  async remove(serverId: ServerId, upToIncarnation: number): Promise<void> {
    for (const [name, record] of this.records) {
      if (record.serverId !== serverId || record.incarnation > upToIncarnation) continue
      await this.files.remove(`${this.directory}/${name}`)
      this.records.delete(name)
      this.metadata.delete(name)
      this.passwords.forget(this.pathOf(record, passwordName))
    }
  }

  /** What the guest may learn of itself; undefined where that was not kept. */
  async metadataOf(record: GuestRecord): Promise<GuestMetadata | undefined> {
    const known = this.metadata.get(nameOf(record))
    if (known) return known
    const text = await this.files.read(this.pathOf(record, metadataName))
    const metadata = text === undefined ? undefined : guestMetadata.parse(JSON.parse(text))
    if (metadata) this.metadata.set(nameOf(record), metadata)
    return metadata
  }

  async saveMetadata(record: GuestRecord, metadata: GuestMetadata): Promise<void> {
    await this.files.write(this.pathOf(record, metadataName), JSON.stringify(metadata))
    this.metadata.set(nameOf(record), metadata)
  }

  /** What the guest set as its password; undefined until it did. */
  passwordOf(record: GuestRecord): GuestPassword | undefined {
    return this.passwords.at(this.pathOf(record, passwordName))
  }

  /** False where it has set one that its owner has not cleared. */
  async setPassword(record: GuestRecord, password: GuestPassword): Promise<boolean> {
    const isSet = await this.passwords.set(this.pathOf(record, passwordName), password)
    if (isSet) this.onPassword?.(record)
    return isSet
  }

  /** Whoever tells the cloud of passwords hears of each that a guest sets. */
  watchPasswords(onPassword: (record: GuestRecord) => void): void {
    this.onPassword = onPassword
  }

  /** What a guest's disks take. */
  async bytesOf(record: GuestRecord): Promise<number> {
    return await this.files.bytesIn(this.directoryOf(record))
  }

  /** Names of what lies here and is no guest's. */
  async strays(): Promise<string[]> {
    // One that was being made or removed while we looked was known before or is known after.
    const before = new Set(this.records.keys())
    const names = (await this.files.list(this.directory)).map(withoutSuffix)
    return names.filter((name) => !before.has(name) && !this.records.has(name))
  }

  imagesInUse(): ReadonlySet<string> {
    return new Set(this.all().map((record) => record.imagePath))
  }

  directoryOf(record: GuestRecord): string {
    return `${this.directory}/${nameOf(record)}`
  }

  private pathOf(record: GuestRecord, name: string): string {
    return `${this.directoryOf(record)}/${name}`
  }

  diskPath(record: GuestRecord): string {
    return `${this.directoryOf(record)}/${diskName}`
  }

  configDrivePath(record: GuestRecord): string {
    return `${this.directoryOf(record)}/config.iso`
  }

  /** `plugged`: the record's interfaces, with where each is plugged in. */
  definition(record: GuestRecord, plugged: readonly GuestNic[]): GuestDefinition {
    const { imagePath, imageFormat, nics: _, ...guest } = record
    return {
      ...(guest as Pick<GuestDefinition, keyof typeof guest & keyof GuestDefinition>),
      disks: [{ path: this.diskPath(record), format: 'qcow2', backing: { path: imagePath, format: imageFormat } }],
      configDrivePath: this.configDrivePath(record),
      nics: plugged,
    }
  }
}

function nameOf({ serverId, incarnation }: Pick<GuestRecord, 'serverId' | 'incarnation'>): string {
  return `${serverId}-${incarnation}`
}

/** What is being removed goes by its name until it is gone. */
function withoutSuffix(name: string): string {
  return name.endsWith(removedSuffix) ? name.slice(0, -removedSuffix.length) : name
}

function readRecord(text: string | undefined): GuestRecord | undefined {
  try {
    return text === undefined ? undefined : guestRecord.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
