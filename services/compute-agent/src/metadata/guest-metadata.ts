import { z } from 'zod'

/** What a guest may learn of itself: written when it is made, kept beside its disk, and gone with it. */
export const guestMetadata = z.object({
  /** meta_data.json, less what is said once and on the config drive alone. */
  metaData: z.record(z.string(), z.unknown()),
  networkData: z.record(z.string(), z.unknown()).default({ links: [], networks: [], services: [] }),
  /** base64, as the tenant gave it */
  userData: z.string().nullable(),
  flavorName: z.string(),
  imageId: z.string(),
})
export type GuestMetadata = z.output<typeof guestMetadata>

/** Of the config drive, what may be asked for again and again, by any program in the guest: no password. */
export function metadataOf(
  contents: { metaData: Record<string, unknown>; networkData?: Record<string, unknown>; userData: string | null },
  { flavorName, imageId }: Pick<GuestMetadata, 'flavorName' | 'imageId'>,
): GuestMetadata {
  const { admin_pass: _, random_seed: __, ...metaData } = contents.metaData
  return guestMetadata.parse({ ...contents, metaData, flavorName, imageId })
}

/** What is asked about: the guest as it was made, and what has become of it since. */
export interface Subject extends GuestMetadata {
  /** The tenant's pairs as they are now. */
  serverMetadata: Readonly<Record<string, string>>
  /** Of the port by which it asks, the first one of IPv4; empty where it has none. */
  localIpv4: string
  /** The first floating IP that leads to the guest; empty where none does. */
  publicIpv4: string
  securityGroups: readonly string[]
}
