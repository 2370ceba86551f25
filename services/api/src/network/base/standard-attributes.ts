import { isCloudAdmin } from '@nubo/auth'
import { secondsTimestamp } from '@nubo/wire'
import { descriptionText, shortText } from './attribute-types.js'

export interface StandardRow {
  id: string
  projectId: string
  description: string
  revisionNumber: number
  createdAt: Date
  updatedAt: Date
}

const project = { column: 'projectId', input: shortText(255), on: 'create' } as const

/** What every resource shows (`standard-attr-*`). Whose it is can be said by either name. */
export const standardAttributes = {
  id: { column: 'id' },
  tenant_id: project,
  project_id: project,
  description: { column: 'description', input: descriptionText, default: '' },
  created_at: { column: 'createdAt', view: ({ createdAt }: StandardRow) => secondsTimestamp(createdAt) },
  updated_at: { column: 'updatedAt', view: ({ updatedAt }: StandardRow) => secondsTimestamp(updatedAt) },
  revision_number: { column: 'revisionNumber' },
} as const

/** Of those that can be tagged: written through routes of their own. */
export const tagsAttribute = { tags: { column: 'tags' } } as const

/** For attributes that operators alone set or see. */
export const ofAdmin = { setBy: isCloudAdmin, seenBy: isCloudAdmin } as const
