import { unlimited } from '@nubo/domain'
import { ignoreQueryExcept, microversion, sourceOf } from '@nubo/wire'
import type { LimitsSource } from './limits.views.js'

interface LimitsView {
  absolute: Record<string, number>
}

/** What each microversion changed of limits, told from the newest shapes backwards. */
export const limitsMicroversions = [
  microversion('2.36', 'limits of networks are gone', {
    responses: {
      limits: ({ absolute }: LimitsView) => {
        Object.assign(absolute, {
          maxTotalFloatingIps: unlimited,
          maxSecurityGroups: unlimited,
          maxSecurityGroupRules: unlimited,
          totalFloatingIpsUsed: 0,
          totalSecurityGroupsUsed: 0,
        })
      },
    },
  }),
  microversion('2.39', 'the limit of metadata of images is gone', {
    responses: {
      limits: (limits: LimitsView) => {
        limits.absolute['maxImageMeta'] = sourceOf<LimitsSource>(limits).metadataItems
      },
    },
  }),
  microversion('2.57', 'limits of injected files are gone', {
    responses: {
      limits: (limits: LimitsView) => {
        const { injectedFiles, injectedFileContentBytes } = sourceOf<LimitsSource>(limits)
        Object.assign(limits.absolute, { maxPersonality: injectedFiles, maxPersonalitySize: injectedFileContentBytes })
      },
    },
  }),
  microversion('2.75', 'unknown query parameters of limits are an error', {
    requests: { 'limits.show': ignoreQueryExcept(['tenant_id']) },
  }),
]
