import { unlimited } from '@nubo/domain'
import { z } from 'zod'
import { booleanLike, integerLike, repeatable } from '../parameter-types.js'

// The newest version's shapes (2.96), and what older versions had beside them.

const limit = integerLike({ minimum: unlimited }).optional()

/** Limits of files that are injected, which no version since 2.57 knows. */
export const fileLimitNames = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes']
/** Limits of Nova's own networks, which no version since 2.36 knows. They limit nothing, in Nova as here. */
export const networkLimitNames = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules']

export const updateQuotasBody = z.strictObject({
  quota_set: z.strictObject({
    instances: limit,
    cores: limit,
    ram: limit,
    metadata_items: limit,
    key_pairs: limit,
    server_groups: limit,
    server_group_members: limit,
    injected_files: limit,
    injected_file_content_bytes: limit,
    injected_file_path_bytes: limit,
    force: booleanLike.optional(),
  }),
})
export type UpdateQuotasBody = z.output<typeof updateQuotasBody>

/** For versions before 2.36: the network's limits are checked like the others. */
export const networkLimitsBody = z.looseObject({
  quota_set: z.looseObject(Object.fromEntries(networkLimitNames.map((name) => [name, limit]))),
})

export const quotasQuery = z.strictObject({ user_id: repeatable(z.string()) })
export type QuotasQuery = z.output<typeof quotasQuery>
