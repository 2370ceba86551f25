import type { Database, Transaction } from '@nubo/database'
import { Scene } from './scene.js'

export interface Comparison {
  /** An order in which the deeds, one after the other, come to the same. */
  order?: number[]
  /** What was done, and what each learned. */
  told: string
}

/**
 * Does all deeds of a scene at once, and looks for an order in which they come to the same one after the other.
 * @param inPlaceOf what is carried out in a statement's place: for who breaks a rule on purpose.
 */
export async function compare(
  database: Database,
  seed: number,
  inPlaceOf: (text: string) => string = (text) => text,
): Promise<Comparison> {
  const scene = new Scene(seed)
  for (const deed of scene.deeds) {
    const { run } = deed
    deed.run = (tx) => run(rewriting(tx, inPlaceOf))
  }
  await database.transaction((tx) => scene.build(tx))
  const outcomes = await Promise.all(scene.deeds.map((deed) => database.transaction(async (tx) => tell(await deed.run(tx)))))
  const state = await database.transaction((tx) => scene.read(tx))
  const order = await database.transaction(async (tx) => {
    await scene.clear(tx)
    await scene.build(tx)
    const found = await search(tx, scene, { outcomes, state }, [])
    await scene.clear(tx)
    return found
  })
  return { order, told: scene.deeds.map(({ what }, index) => `${what}: ${outcomes[index]}`).join('; ') }
}

function rewriting(tx: Transaction, inPlaceOf: (text: string) => string): Transaction {
  return {
    inTransaction: true,
    query: (text, values) => tx.query(inPlaceOf(text), values),
    execute: (text, values) => tx.execute(inPlaceOf(text), values),
  }
}

/** Depth first, with a savepoint for each deed; who learned something else turns back at once. */
async function search(
  tx: Transaction,
  scene: Scene,
  wanted: { outcomes: readonly string[]; state: string },
  done: readonly number[],
): Promise<number[] | undefined> {
  if (done.length === scene.deeds.length) return (await scene.read(tx)) === wanted.state ? [...done] : undefined
  for (const [index, deed] of scene.deeds.entries()) {
    if (done.includes(index)) continue
    const isTurnedAway = deed.turnedAway !== undefined && wanted.outcomes[index] === tell(deed.turnedAway)
    if (isTurnedAway && isAnswered(scene, wanted.outcomes, index)) {
      const found = await search(tx, scene, wanted, [...done, index])
      if (found) return found
      continue
    }
    const savepoint = `at_${done.length}`
    await tx.execute(`SAVEPOINT ${savepoint}`)
    const isSame = tell(await deed.run(tx)) === wanted.outcomes[index]
    const found = isSame ? await search(tx, scene, wanted, [...done, index]) : undefined
    await tx.execute(`ROLLBACK TO SAVEPOINT ${savepoint}`)
    if (found) return found
  }
  return undefined
}

/** Who was turned away came upon another who was not, or who is told of in its place when that one failed. */
function isAnswered({ deeds }: Scene, outcomes: readonly string[], mine: number): boolean {
  return deeds.some(({ turnedAway }, index) => index !== mine && turnedAway !== undefined && outcomes[index] !== tell(turnedAway))
}

const tell = (outcome: unknown) => JSON.stringify(outcome ?? null)
