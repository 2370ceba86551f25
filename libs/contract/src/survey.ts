import { z } from 'zod'
import { fence, incarnation, powerState, serverId } from './envelope.js'

/** Servers in one answer at the most. */
export const surveyPage = 500
/** Folders of one server, and names of strays, in one answer at the most. */
const fewAtMost = 50

/** What lies on a host, server by server, in the order of their ids. Looked up, not remembered. */
export const surveyQuestion = z.object({
  kind: z.literal('survey'),
  /** The page begins behind this server. */
  after: serverId.optional(),
})

/** What a guest cannot start without: its own disk, and the image that this stands on. */
export const diskPart = z.enum(['disk', 'image'])
export type DiskPart = z.output<typeof diskPart>

/** All that a host has of one server. */
export const surveyedServer = z.object({
  serverId,
  /** As the hypervisor has it: a server has one domain there at the most. */
  domain: z.object({ incarnation, fencingEpoch: z.int().positive(), powerState }).nullable(),
  /** Of its disks, and what they take on the host's own. */
  folders: z.array(z.object({ incarnation, bytes: z.int().nonnegative(), lacks: z.array(diskPart).optional() })).max(fewAtMost),
  /** What the host was told last, and whether it is done. */
  journal: z
    .object({
      fence,
      incarnation,
      ended: z.boolean(),
      acknowledged: z.boolean(),
      /** No guest up to this incarnation may be here; 0 where none was destroyed. */
      tombstone: z.int().nonnegative(),
    })
    .nullable(),
})
export type SurveyedServer = z.output<typeof surveyedServer>

export const surveyAnswer = z.object({
  servers: z.array(surveyedServer).max(surveyPage),
  /** There is more behind this server. */
  next: serverId.nullable(),
  /** Images that are kept for guests to stand on. */
  images: z.object({ count: z.int().nonnegative(), bytes: z.int().nonnegative() }),
  freeBytes: z.int().nonnegative(),
  /** Folders among the guests' that nobody can tell whose they are: they are left to a person. */
  strays: z.array(z.string().max(255)).max(fewAtMost),
})
export type SurveyAnswer = z.output<typeof surveyAnswer>
