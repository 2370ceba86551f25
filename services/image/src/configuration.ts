import { baseConfiguration, databaseConfiguration } from '@nubo/service-kit'
import { z } from 'zod'
import { defaultSecondOpinionLimits } from './inspection/second-opinion.js'

const positive = z.int().min(1)
const publicKey = z.strictObject({ publicKeyFile: z.string().min(1) })

/** Glance's own defaults where it has them (image_size_cap, image_tag_quota, image_property_quota, image_member_quota). */
const limits = z.strictObject({
  /** Of one image's file. */
  imageBytes: positive.default(2 ** 40),
  /** Of the disk that an image describes. */
  virtualBytes: positive.default(16 * 2 ** 40),
  tags: positive.default(128),
  properties: positive.default(128),
  /** Of all properties of one image, their names with them: every list of it holds them. */
  propertyBytes: positive.default(65_536),
  members: positive.default(128),
  /** Of one upload that sends nothing, until it counts as cut off. */
  uploadIdleSeconds: positive.default(60),
  /** What an upload has to send on the whole, so as not to count as such: Apache's least rate of a body. */
  uploadBytesPerSecond: positive.default(500),
  /** Uploads of one project under way at once (image_count_uploading of Glance's unified limits). */
  uploads: positive.default(20),
  /** What of the store's disk is left to others: a database on the same disk ends where it is full. */
  reservedDiskBytes: z
    .int()
    .nonnegative()
    .default(2 ** 30),
  /** How QEMU's own tool may look at an uploaded file. */
  check: z
    .strictObject({
      seconds: positive.default(defaultSecondOpinionLimits.seconds),
      cpuSeconds: positive.default(defaultSecondOpinionLimits.cpuSeconds),
      memoryMib: positive.default(defaultSecondOpinionLimits.memoryMib),
      concurrent: positive.default(defaultSecondOpinionLimits.concurrent),
    })
    .prefault({}),
})

/** What `image.json` holds. */
export const imageConfiguration = baseConfiguration.extend({
  database: databaseConfiguration,
  /** The address that clients know this service by; links are made from it where a request has no usable Host. */
  publicUrl: z.url().transform((url) => url.replace(/\/+$/, '')),
  identityUrl: z.url(),
  /** Of the tokens that the api signs. */
  tokens: publicKey,
  /** The folder of the images' bytes. */
  directory: z.string().min(1),
  /** Of the credentials that the conductor signs for hosts. */
  agentCredentials: publicKey,
  limits: limits.prefault({}),
})

export type ImageConfiguration = z.infer<typeof imageConfiguration>
export type ImageLimits = ImageConfiguration['limits']
