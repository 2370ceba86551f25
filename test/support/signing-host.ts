import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { openText, sealText } from '@nubo/auth'
import type { Message, Seal } from '@nubo/queue'

export function newHostKey(): { privateKey: KeyObject; publicKeyPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

/** What an agent does to messages (services/compute-agent/src/host-seal.ts), with a key of a test's own and no files. */
export function signingSeal(hostKey: KeyObject, controlPlaneKey: KeyObject, firstNumber = 1): Seal {
  let number = firstNumber
  return {
    close: (hostId, message) => sealText(hostKey, 'report', hostId, JSON.stringify({ number: number++, message })),
    open(hostId, text) {
      const body = openText(controlPlaneKey, 'command', hostId, text)
      return body === undefined ? undefined : (JSON.parse(body) as Message)
    },
  }
}
