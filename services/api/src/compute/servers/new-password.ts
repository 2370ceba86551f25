import type { Random } from '@nubo/kernel'

/** Letters and digits that are not mistaken for one another. */
const alphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const length = 12

/** A password of a server's administrator, for whom none was given. */
export function newPassword(random: Random): string {
  return Array.from({ length }, () => {
    // Rejection keeps every letter as likely as the others.
    for (;;) {
      const byte = random.bytes(1)[0]!
      if (byte < alphabet.length * 4) return alphabet[byte % alphabet.length]
    }
  }).join('')
}
