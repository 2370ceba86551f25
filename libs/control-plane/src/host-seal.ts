import type { KeyObject } from 'node:crypto'
import { openText, sealText } from '@nubo/auth'
import { sealedReport } from '@nubo/contract'
import type { HostId } from '@nubo/kernel'
import type { Message, Seal } from '@nubo/queue'
import type { HostKeyRing, KnownKey } from './host-key-ring.js'
import type { HostRefusals } from './host-refusals.js'

export interface ControlPlaneSealOptions {
  /** Signs what hosts are told. */
  commandKey: KeyObject
  hostKeys: HostKeyRing
  refusals: HostRefusals
  /** True once for each number of a host's registrations, in rising order. */
  claimRegistration: (hostId: HostId, publicKey: string, number: number) => Promise<boolean>
}

/** A message may break the contract in as many places as it has. */
const longestWords = 2_000

/** The control plane's side of what protects messages: signs commands, and believes a host what its own key signed. */
export class ControlPlaneSeal implements Seal {
  constructor(private readonly options: ControlPlaneSealOptions) {}

  close(hostId: HostId, message: Message): string {
    return sealText(this.options.commandKey, 'command', hostId, JSON.stringify(message))
  }

  async open(hostId: HostId, text: string): Promise<Message | undefined> {
    const { refusals } = this.options
    const known = await this.options.hostKeys.keyOf(hostId)
    const opened = (known && bodyOf(known, hostId, text)) ?? (await this.tryFreshKey(hostId, text, known))
    if (!opened) return undefined
    const sealed = sealedReport.safeParse(parsed(opened.body))
    if (!sealed.success) return refusals.note(hostId, 'malformed', { problems: wordsOf(sealed.error) })
    const { number, message } = sealed.data
    if (message.hostId !== hostId) return refusals.note(hostId, 'names-another-host', { named: message.hostId })
    if (message.kind !== 'register') return message
    const isNew = await this.options.claimRegistration(hostId, opened.known.pem, number)
    return isNew ? message : refusals.note(hostId, 'replayed', { number })
  }

  /** For a key that was enrolled since the ring was last filled. */
  private async tryFreshKey(hostId: HostId, text: string, tried: KnownKey | undefined) {
    const known = await this.options.hostKeys.freshKeyOf(hostId)
    if (!known) return this.options.refusals.note(hostId, 'not-enrolled')
    const opened = known.pem === tried?.pem ? undefined : bodyOf(known, hostId, text)
    return opened ?? this.options.refusals.note(hostId, 'bad-signature')
  }
}

const wordsOf = ({ issues }: { issues: unknown }) => JSON.stringify(issues).slice(0, longestWords)

function bodyOf(known: KnownKey, hostId: HostId, text: string): { known: KnownKey; body: string } | undefined {
  const body = openText(known.key, 'report', hostId, text)
  return body === undefined ? undefined : { known, body }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
