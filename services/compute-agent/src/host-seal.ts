import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ensureHostKey, keyFingerprint, openText, publicHostKey, sealText } from '@nubo/auth'
import type { Clock, HostId } from '@nubo/kernel'
import type { Message, Seal } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'
import type { AgentConfiguration } from './configuration.js'
import type { Files } from './files.js'

export interface HostSealOptions {
  files: Files
  /** The host's own; its key lies in `identity` below it. */
  directory: string
  controlPlane: AgentConfiguration['controlPlane']
  clock: Clock
  logger: Logger
}

/** Where a host keeps its key and the number of its last registration. */
export const identityDirectory = (directory: string) => `${directory}/identity`

/** The host's side of what protects messages: signs what it tells, and obeys what the control plane signed. */
export class HostSeal implements Seal {
  private constructor(
    private readonly hostKey: KeyObject,
    private readonly controlPlaneKey: KeyObject,
    private readonly numbers: RegistrationNumbers,
    private readonly logger: Logger,
  ) {}

  static async open({ files, directory, controlPlane, clock, logger }: HostSealOptions): Promise<HostSeal> {
    const identity = identityDirectory(directory)
    const { privateKey, publicKeyPem } = ensureHostKey(identity)
    logger.info({ fingerprint: keyFingerprint(publicKeyPem), file: `${identity}/host-key.pub` }, 'the key of this host')
    const numbers = await RegistrationNumbers.open(files, `${identity}/last-registration`, clock)
    const controlPlaneKey = publicHostKey(readFileSync(controlPlane.publicKeyFile, 'utf8'))
    return new HostSeal(privateKey, controlPlaneKey, numbers, logger)
  }

  async close(hostId: HostId, message: Message): Promise<string> {
    const number = message['kind'] === 'register' ? await this.numbers.next() : 0
    return sealText(this.hostKey, 'report', hostId, JSON.stringify({ number, message }))
  }

  open(hostId: HostId, text: string): Message | undefined {
    const body = openText(this.controlPlaneKey, 'command', hostId, text)
    if (body !== undefined) return JSON.parse(body) as Message
    this.logger.warn({ hostId, characters: text.length }, 'refused a command that the control plane did not sign')
    return undefined
  }
}

/**
 * Numbers that rise from one registration to the next, over restarts too: what the clock says, or one more than the last.
 * So they go on where the clock was set back, and where the file was lost.
 */
class RegistrationNumbers {
  private constructor(
    private readonly files: Files,
    private readonly path: string,
    private readonly clock: Clock,
    private last: number,
  ) {}

  static async open(files: Files, path: string, clock: Clock): Promise<RegistrationNumbers> {
    const last = Number((await files.read(path)) ?? 0)
    return new RegistrationNumbers(files, path, clock, Number.isSafeInteger(last) ? last : 0)
  }

  async next(): Promise<number> {
    this.last = Math.max(this.last + 1, this.clock.now().getTime())
    const number = this.last
    await this.files.write(this.path, String(number))
    return number
  }
}
