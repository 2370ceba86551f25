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
  /** How much may be left to do until requests that add to it are refused; docs/decisions/0013 says where the numbers come from. */
  takeOnUntil: z
    .strictObject({
      placements: z.int().positive().default(5_000),
      commandsPerHost: z.int().positive().default(500),
      placementSeconds: z.int().positive().default(300),
      connectionMs: z.int().positive().default(2_000),
    })
    .prefault({}),
  networks: z
    .strictObject({
      /** What the network between hosts carries in one packet, in bytes. */
      underlayMtu: z.int().min(1_330).max(65_535).default(1_500),
    })
    .prefault({}),
  tokens: z.strictObject({
    /** PEM, PKCS #8, Ed25519. */
    privateKeyFile: z.string().min(1),
    lifetimeSeconds: z.int().min(60).max(86_400).default(3_600),
  }),
})
export type ApiConfiguration = z.output<typeof apiConfiguration>
