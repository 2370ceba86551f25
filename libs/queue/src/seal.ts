import type { HostId } from '@nubo/kernel'
import type { Message } from './queue.js'

/**
 * What protects a message on its way between the control plane and a host: Redis carries it, but whoever has Redis can
 * neither make nor change one.
 */
export interface Seal {
  /** The text that travels. */
  close(hostId: HostId, message: Message): string | Promise<string>
  /** Undefined for what was not closed by who may write to or for this host. Saying so is the seal's own business. */
  open(hostId: HostId, text: string): Message | undefined | Promise<Message | undefined>
}

/** No protection: for tests of what carries messages. */
export const noSeal: Seal = {
  close: (_hostId, message) => JSON.stringify(message),
  open: (_hostId, text) => JSON.parse(text) as Message,
}
