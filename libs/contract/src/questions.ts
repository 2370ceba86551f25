import { z } from 'zod'
import { hostId, serverId } from './envelope.js'
import { surveyQuestion } from './survey.js'

/** Questions change nothing, are answered at once or not at all, and are not repeated. */
export const consoleQuestion = z.object({
  kind: z.literal('console-output'),
  serverId,
  /** The last so many lines; all that is kept where absent. */
  lines: z.int().nonnegative().optional(),
})
export const agentQuestion = z.discriminatedUnion('kind', [consoleQuestion, surveyQuestion])
export type AgentQuestion = z.output<typeof agentQuestion>

export const consoleAnswer = z.object({ output: z.string() })
export type ConsoleAnswer = z.output<typeof consoleAnswer>

/** An answer as it travels: what was asked for, or why not. */
export const answer = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), kind: z.enum(['NotFound', 'Unavailable', 'Bug']), message: z.string() }),
])
export type Answer = z.output<typeof answer>

/** A question on its way to a host. */
export const asked = z.object({ questionId: z.uuid(), question: agentQuestion })
export type Asked = z.output<typeof asked>

/** An answer on its way from a host, among its reports. */
export const answered = z.object({ kind: z.literal('answer'), hostId, questionId: z.uuid(), answer })
export type Answered = z.output<typeof answered>
