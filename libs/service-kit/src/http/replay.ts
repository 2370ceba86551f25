import { CloudError, type KeptAnswer, type RequestKey } from '@nubo/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { KeptAnswers } from '../kept-answers.js'
import type { Pressure } from '../pressure.js'
import type { KeyBound } from './key-bound.js'

/** Says that this answer is not news: what it speaks of was made by an earlier request with the same key. */
const replayedHeader = 'Idempotent-Replayed'

export interface ReplayDependencies {
  answers: () => KeptAnswers
  keyBound: KeyBound
  pressure: Pressure
}

/**
 * Answers a request whose key was used before as it was answered then, before the handler is asked: what was checked then
 * may not hold any more (the quota that the first request used up, the name that it took). It
 * adds no work, so it is answered too while no more is taken on.
 */
export function installReplay(instance: FastifyInstance, dependencies: ReplayDependencies): void {
  instance.addHook('preHandler', (request, reply, done) => {
    const { requestKey } = request
    if (!requestKey) return done()
    replay(requestKey, reply, dependencies.answers())
      .then(async (replayed) => {
        if (replayed) return
        await admitNew(request, requestKey, dependencies)
        done()
      })
      .catch(done)
  })
}

/**
 * Answers a request that failed as the one with its key was answered meanwhile. Both were under way when this one looked its
 * key up, and what it failed for may be what the other made: the port that is in use, the name that is taken. False where
 * nothing is to be told but the failure.
 */
export async function replayAfterFailure(request: FastifyRequest, reply: FastifyReply, answers: KeptAnswers): Promise<boolean> {
  const { requestKey } = request
  if (!requestKey || reply.sent) return false
  try {
    return await replay(requestKey, reply, answers)
  } catch {
    return false
  }
}

/** Throws where there is no room for its work, or for its answer. */
async function admitNew(request: FastifyRequest, key: RequestKey, { pressure, keyBound }: ReplayDependencies): Promise<void> {
  if (request.addsWork) pressure.assertRoom()
  await keyBound.enter(key)
}

/** False where the key is new. Throws Conflict where it was used for something else. */
async function replay(key: RequestKey, reply: FastifyReply, answers: KeptAnswers): Promise<boolean> {
  const kept = await answers.find(key)
  if (!kept) return false
  if (kept.requestDigest !== key.requestDigest) throw usedForAnother(key)
  send(reply, kept)
  return true
}

function send(reply: FastifyReply, { status, location, body }: KeptAnswer): void {
  reply.code(status).header(replayedHeader, 'true')
  if (location !== null) reply.header('Location', location)
  if (body === null) reply.send()
  // As text: it is in the client's microversion already.
  else reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
}

const usedForAnother = ({ route }: RequestKey) =>
  new CloudError('Conflict', `This Idempotency-Key was used for another ${route}. A new request needs a key of its own.`)
