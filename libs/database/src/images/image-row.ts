import type { ImageId, ProjectId } from '@nubo/kernel'

export type ImageStatus = 'queued' | 'saving' | 'active' | 'deactivated'
export type ImageVisibility = 'public' | 'private' | 'shared' | 'community'
export type MemberStatus = 'pending' | 'accepted' | 'rejected'

/** An image as the database has it. */
export interface ImageRow {
  id: ImageId
  projectId: ProjectId
  name: string | null
  status: ImageStatus
  visibility: ImageVisibility
  diskFormat: string | null
  containerFormat: string | null
  minDiskGib: number
  minMemoryMib: number
  protected: boolean
  hidden: boolean
  /** Of the file; null until it is whole. */
  sizeBytes: number | null
  /** Of the disk that a guest sees; null until the file is whole. */
  virtualBytes: number | null
  /** Lower-case hexadecimal digests of the file. */
  md5: string | null
  sha512: string | null
  tags: string[]
  properties: Record<string, string>
  createdAt: Date
  updatedAt: Date
}

/** Who looks at images: an admin sees all of them. */
export interface ImageViewer {
  /** Undefined for a token without a project. */
  projectId: ProjectId | undefined
  admin: boolean
}

/** The columns of `images` under the names of `ImageRow`. */
export const imageColumns = `i.id, i.project_id AS "projectId", i.name, i.status, i.visibility, i.disk_format AS "diskFormat",
  i.container_format AS "containerFormat", i.min_disk_gib AS "minDiskGib", i.min_memory_mib AS "minMemoryMib", i.protected, i.hidden,
  i.size_bytes AS "sizeBytes", i.virtual_bytes AS "virtualBytes", i.md5, i.sha512, i.tags, i.properties,
  i.created_at AS "createdAt", i.updated_at AS "updatedAt"`
