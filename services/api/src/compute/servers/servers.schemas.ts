import { isIP, SocketAddress } from 'node:net'
import { z } from 'zod'

// The newest version's shapes. Older ones are brought up to them by the declared microversion changes.

/** Nova's parameter_types.name: printable, with no white space around it. */
export const serverName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => /^(?! )[\p{L}\p{M}\p{N}\p{P}\p{S} ]*(?<! )$/u.test(name) && name.trim() === name, {
    message: 'it may hold printable characters alone, and neither begin nor end with white space',
  })

const metadataKey = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9-_:. ]{1,255}$/)
export const metadataItems = z.record(metadataKey, z.string().max(255))
const boolish = z.union([
  z.boolean(),
  z.stringbool({ truthy: ['true', '1', 'on', 'yes', 'y', 't'], falsy: ['false', '0', 'off', 'no', 'n', 'f'] }),
])
const count = z.union([
  z.int().min(1),
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/)
    .transform(Number),
])
const uuid = z.guid()
const ipAddress = (family: 4 | 6) =>
  z.string().refine((text) => text === '' || isIP(text) === family, { message: `it is not an IPv${family} address` })
/** Kept in its shortest form, as Nova does: `inet_ntop`'s, which is that of RFC 5952. */
const ipv6Address = ipAddress(6).transform((text) =>
  text === '' ? text : new SocketAddress({ address: text, family: 'ipv6' }).address,
)
/** Of a server, or of one of its devices. */
export const deviceTag = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[^,/]*$/)
const hostName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9-._]*$/)
/** RFC 1123: one label, or several where the operator allows a whole domain name. */
const guestHostname = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/)
const diskConfig = z.enum(['AUTO', 'MANUAL'])

const blockDevice = z.looseObject({
  uuid: z.string().optional(),
  source_type: z.enum(['volume', 'image', 'snapshot', 'blank']),
  destination_type: z.enum(['local', 'volume']).optional(),
  boot_index: z.union([z.int(), z.string(), z.null()]).optional(),
})

/** More than a guest has places for. Each is a port of each of the servers that are made at once. */
const mostNetworks = 64
const network = z.strictObject({
  uuid: uuid.optional(),
  port: uuid.optional(),
  fixed_ip: z.string().optional(),
  tag: deviceTag.optional(),
})

const newServer = z.strictObject({
  name: serverName,
  imageRef: z.union([uuid, z.literal('')]).optional(),
  flavorRef: z.union([z.string().min(1), z.int()]).transform(String),
  key_name: z.string().min(1).max(255).nullable().optional(),
  metadata: metadataItems.optional(),
  user_data: z.base64().max(65_535).nullable().optional(),
  config_drive: boolish.nullable().optional(),
  availability_zone: z.string().min(1).max(255).nullable().optional(),
  networks: z.union([z.enum(['auto', 'none']), z.array(network).max(mostNetworks)]),
  security_groups: z.array(z.strictObject({ name: z.string().min(1).max(255) })).optional(),
  block_device_mapping_v2: z.array(blockDevice).optional(),
  block_device_mapping: z.array(z.looseObject({})).optional(),
  personality: z.array(z.strictObject({ path: z.string(), contents: z.base64() })).optional(),
  accessIPv4: ipAddress(4).optional(),
  accessIPv6: ipv6Address.optional(),
  'OS-DCF:diskConfig': diskConfig.optional(),
  adminPass: z.string().optional(),
  min_count: count.optional(),
  max_count: count.optional(),
  return_reservation_id: boolish.optional(),
  description: z.string().max(255).nullable().optional(),
  tags: z.array(deviceTag).max(50).optional(),
  trusted_image_certificates: z.array(z.string().min(1)).min(1).max(50).nullable().optional(),
  host: hostName.optional(),
  hypervisor_hostname: hostName.optional(),
  hostname: guestHostname.optional(),
})

const schedulerHints = z.looseObject({})

export const createServerBody = z.strictObject({
  server: newServer,
  'os:scheduler_hints': schedulerHints.optional(),
  'OS-SCH-HNT:scheduler_hints': schedulerHints.optional(),
})
export type CreateServerBody = z.output<typeof createServerBody>
export type NewServerRequest = CreateServerBody['server']

export const updateServerBody = z.strictObject({
  server: z.strictObject({
    name: serverName.optional(),
    accessIPv4: ipAddress(4).optional(),
    accessIPv6: ipv6Address.optional(),
    'OS-DCF:diskConfig': diskConfig.optional(),
    description: z.string().max(255).nullable().optional(),
    hostname: guestHostname.optional(),
  }),
})
export type UpdateServerBody = z.output<typeof updateServerBody>

export const metadataBody = z.strictObject({ metadata: metadataItems })
export const metadataItemBody = z.strictObject({ meta: metadataItems })

const nothing = z.unknown()
const namedGroup = z.object({ name: z.string().min(1).max(255) })
export const actionBodies = {
  'os-start': z.strictObject({ 'os-start': nothing }),
  'os-stop': z.strictObject({ 'os-stop': nothing }),
  reboot: z.strictObject({
    reboot: z.strictObject({
      type: z
        .string()
        .toUpperCase()
        .pipe(z.enum(['HARD', 'SOFT'])),
    }),
  }),
  'os-getConsoleOutput': z.strictObject({
    'os-getConsoleOutput': z
      .strictObject({
        length: z
          .union([
            z.int().min(-1),
            z
              .string()
              .regex(/^(-1|\d+)$/)
              .transform((digits) => Math.min(Number(digits), Number.MAX_SAFE_INTEGER)),
          ])
          .nullable()
          .optional(),
      })
      .nullable(),
  }),
  lock: z.strictObject({
    lock: z.union([z.null(), z.strictObject({ locked_reason: z.string().min(1).max(255).optional() })]).optional(),
  }),
  unlock: z.strictObject({ unlock: nothing }),
  forceDelete: z.strictObject({ forceDelete: nothing }),
  addSecurityGroup: z.strictObject({ addSecurityGroup: namedGroup }),
  removeSecurityGroup: z.strictObject({ removeSecurityGroup: namedGroup }),
  addFixedIp: z.strictObject({
    addFixedIp: z.strictObject({ networkId: z.union([z.string().min(1).max(36), z.number()]).transform(String) }),
  }),
  removeFixedIp: z.strictObject({ removeFixedIp: z.strictObject({ address: z.union([z.ipv4(), z.ipv6()]) }) }),
} as const
