import { assert, type Random } from '@nubo/kernel'

interface Pick {
  position: number
  belowTop: number
  band: number
  ticket: number
}

/**
 * The positions of the `keep` highest scores, highest first. Scores are put into bands of width `nearEqual`, the first
 * of which begins at the highest score; within a band chance decides, each order as likely as any other. Runs through
 * the scores once and sorts only what it keeps.
 */
export function pickBest(scores: Float64Array, nearEqual: number, keep: number, random: Random): number[] {
  assert(keep >= 1, 'a decision keeps at least its best')
  const top = highest(scores)
  const picks: Pick[] = []
  let reach = Number.POSITIVE_INFINITY
  for (let position = 0; position < scores.length; position++) {
    const belowTop = top - scores[position]!
    if (belowTop > reach) continue
    const band = nearEqual > 0 ? Math.floor(belowTop / nearEqual) : belowTop
    const pick = { position, belowTop, band, ticket: random.fraction() }
    if (picks.length === keep) {
      if (!isBefore(pick, picks[keep - 1]!)) continue
      picks.pop()
    }
    insert(picks, pick)
    // What lies more than a band's width below the last of a full list cannot come before it.
    if (picks.length === keep) reach = picks[keep - 1]!.belowTop + nearEqual
  }
  return picks.map((pick) => pick.position)
}

function highest(scores: Float64Array): number {
  let top = Number.NEGATIVE_INFINITY
  for (let i = 0; i < scores.length; i++) if (scores[i]! > top) top = scores[i]!
  return top
}

/** Keeps `picks` in rising order of band and ticket. */
function insert(picks: Pick[], pick: Pick): void {
  let place = picks.length
  while (place > 0 && isBefore(pick, picks[place - 1]!)) place--
  picks.splice(place, 0, pick)
}

function isBefore(a: Pick, b: Pick): boolean {
  return a.band === b.band ? a.ticket < b.ticket : a.band < b.band
}
