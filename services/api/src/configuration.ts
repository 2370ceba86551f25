import { controlPlaneConfiguration } from '@nubo/control-plane'
import { databaseConfiguration } from '@nubo/service-kit'
import { z } from 'zod'

const httpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''))

export const apiConfiguration = controlPlaneConfiguration.extend({
  // Somebody waits for the answer: what takes longer is refused, and may be asked for again.
  database: databaseConfiguration.extend({ statementTimeoutMs: z.int().min(100).default(10_000) }),
  /** The one region of the catalog. */
  region: z.string().min(1).max(255),
  /** Where clients reach this service: `http://host:port`. */
  publicUrl: httpUrl,
  /** Where clients reach the image service. */
  imageUrl: httpUrl,
  tokens: z.strictObject({
    /** PEM, PKCS #8, Ed25519. */
    privateKeyFile: z.string().min(1),
    lifetimeSeconds: z.int().min(60).max(86_400).default(3_600),
  }),
})
export type ApiConfiguration = z.output<typeof apiConfiguration>
