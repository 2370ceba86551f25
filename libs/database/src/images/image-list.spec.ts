import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { newId, systemRandom, type ImageId, type ProjectId } from '@nubo/kernel'
import { startPostgres } from '@nubo/deploy'
import fc from 'fast-check'
import type { Database } from '../connection.js'
import { TestDatabase } from '../testing/test-database.js'
import { listImages, pageBytes, type ImageListing, type ImagePage, type ImageSort } from './image-list.js'

let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
})

afterAll(() => records?.stop())

beforeEach(async () => {
  await database.execute('DELETE FROM images')
})

interface Sample {
  id: ImageId
  projectId: ProjectId
  name: string | null
  visibility: string
  sizeBytes: number | null
  hidden: boolean
  tags: string[]
  /** Of the project 'me', where the image was shared with it. */
  memberStatus: string | null
  /** Seconds after some begin: many at the same time. */
  age: number
}

const anySample: fc.Arbitrary<Sample> = fc.record({
  id: fc.constant(null).map(() => newId<ImageId>(systemRandom)),
  projectId: fc.constantFrom('me', 'other').map((id) => id as ProjectId),
  name: fc.constantFrom(null, 'a', 'b', 'c'),
  visibility: fc.constantFrom('public', 'private', 'shared', 'community'),
  sizeBytes: fc.constantFrom(null, 1, 2, 3_000_000_000),
  hidden: fc.boolean(),
  tags: fc.subarray(['x', 'y']),
  memberStatus: fc.constantFrom(null, 'pending', 'accepted', 'rejected'),
  age: fc.nat({ max: 3 }),
})

async function insert(samples: readonly Sample[]): Promise<void> {
  await database.execute('DELETE FROM images')
  for (const sample of samples) {
    await database.execute(
      `INSERT INTO images (id, project_id, name, status, visibility, size_bytes, hidden, tags, created_at)
       VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, timestamptz '2026-11-23 08:00:00Z' + make_interval(secs => $8))`,
      [sample.id, sample.projectId, sample.name, sample.visibility, sample.sizeBytes, sample.hidden, sample.tags, sample.age],
    )
    if (sample.memberStatus !== null) {
      await database.execute(`INSERT INTO image_members (image_id, project_id, status) VALUES ($1, 'me', $2)`, [
        sample.id,
        sample.memberStatus,
      ])
    }
  }
}

/** The same rules once more, over samples. */
function expected(samples: readonly Sample[], listing: ImageListing): ImageId[] {
  const { admin } = listing.viewer
  const mine = (sample: Sample) => sample.projectId === 'me'
  const isMember = (sample: Sample) =>
    sample.visibility === 'shared' &&
    sample.memberStatus !== null &&
    (listing.memberStatus === 'all' || sample.memberStatus === listing.memberStatus)
  const open = (sample: Sample) => sample.visibility === 'public' || sample.visibility === 'community'
  return samples
    .filter((sample) => admin || mine(sample) || open(sample) || isMember(sample))
    .filter((sample) => {
      if (listing.visibility === 'all') return true
      if (listing.visibility) return sample.visibility === listing.visibility
      return sample.visibility !== 'community' || mine(sample)
    })
    .filter((sample) => sample.hidden === listing.hidden)
    .toSorted((a, b) => compare(a, b, listing.sort))
    .map((sample) => sample.id)
}

function compare(a: Sample, b: Sample, sort: readonly ImageSort[]): number {
  const last = sort.length === 1 ? sort[0]!.direction : 'desc'
  const keys = [...sort, { key: 'created_at', direction: last }, { key: 'id', direction: last }] as const
  for (const { key, direction } of keys) {
    const of = (sample: Sample) =>
      ({ name: sample.name ?? '', size: sample.sizeBytes ?? 0, created_at: sample.age, id: sample.id })[key as 'name']
    const sign = of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0
    if (sign !== 0) return direction === 'asc' ? sign : -sign
  }
  return 0
}

const anyListing: fc.Arbitrary<ImageListing> = fc.record({
  viewer: fc.record({ projectId: fc.constant('me' as ProjectId), admin: fc.boolean() }),
  hidden: fc.boolean(),
  visibility: fc.constantFrom(undefined, 'all', 'public', 'private', 'shared', 'community'),
  memberStatus: fc.constantFrom('accepted', 'pending', 'all'),
  conditions: fc.constant([]),
  sort: fc
    .subarray(['name', 'size', 'created_at', 'id'] as const)
    .chain((keys) =>
      fc.tuple(...keys.map((key) => fc.constantFrom('asc', 'desc').map((direction): ImageSort => ({ key, direction })))),
    ),
  marker: fc.constant(undefined),
  limit: fc.constant(1000),
  /** None needs to be weighed, or those of more than two, or all. */
  mostImageBytes: fc.constantFrom(1, pageBytes / 2, pageBytes + 1),
})

it('lists what a viewer may see and asked for, in the order asked for, page by page or at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anySample, { maxLength: 12 }),
      anyListing,
      fc.integer({ min: 1, max: 4 }),
      async (samples, listing, limit) => {
        await insert(samples)
        const whole = (await listImages(database, listing)).images.map((image) => image.id)
        expect(whole).toEqual(expected(samples, listing))
        const paged: ImageId[] = []
        let page: ImagePage
        do {
          page = await listImages(database, { ...listing, limit, marker: paged.at(-1) })
          paged.push(...page.images.map((image) => image.id))
        } while (page.hasMore)
        expect(paged).toEqual(whole)
      },
    ),
    { numRuns: 120 },
  )
}, 120_000)

it('filters by what images have', async () => {
  const [tagged, plain] = [newId<ImageId>(systemRandom), newId<ImageId>(systemRandom)]
  const sample = { projectId: 'me' as ProjectId, visibility: 'private', hidden: false, memberStatus: null, age: 0 }
  await insert([
    { ...sample, id: tagged, name: 'a', sizeBytes: 5, tags: ['x', 'y'] },
    { ...sample, id: plain, name: null, sizeBytes: null, tags: [] },
  ])
  const list = async (conditions: ImageListing['conditions']) => {
    const viewer = { projectId: 'me' as ProjectId, admin: false }
    const listing = {
      viewer,
      hidden: false,
      visibility: undefined,
      memberStatus: 'accepted',
      sort: [],
      marker: undefined,
      limit: 9,
      mostImageBytes: 1,
    } as const
    return (await listImages(database, { ...listing, conditions })).images.map((image) => image.id)
  }
  expect(await list([{ tags: ['y', 'x'] }])).toEqual([tagged])
  expect(await list([{ column: 'name', oneOf: ['a', 'z'] }])).toEqual([tagged])
  expect(await list([{ column: 'size', comparison: '>=', value: 5 }])).toEqual([tagged])
  expect(await list([{ column: 'id', oneOf: [plain] }])).toEqual([plain])
  expect(await list([{ property: "x' OR true --", value: 'y' }])).toEqual([])
  expect(await list([{ column: 'created_at', comparison: '=', value: new Date('2026-11-23T08:00:00Z') }])).toHaveLength(2)
})

it('ends a page where it would take too much, and says that there is more', async () => {
  const size = 1024 * 1024
  const ids = Array.from({ length: 12 }, () => newId<ImageId>(systemRandom))
  for (const [age, id] of ids.entries())
    await database.execute(
      `INSERT INTO images (id, project_id, status, visibility, properties, created_at)
       VALUES ($1, 'me', 'queued', 'private', jsonb_build_object('much', repeat('x', $2)), timestamptz '2026-11-23 08:00:00Z' - make_interval(secs => $3))`,
      [id, size, age],
    )
  const viewer = { projectId: 'me' as ProjectId, admin: false }
  const usual = {
    viewer,
    hidden: false,
    visibility: undefined,
    memberStatus: 'accepted',
    conditions: [],
    sort: [],
    mostImageBytes: 2 * size,
  } as const
  const list = async (marker?: ImageId, limit = 1000) => {
    const { images, hasMore } = await listImages(database, { ...usual, marker, limit })
    return { ids: images.map(({ id }) => id), hasMore }
  }
  expect(pageBytes).toBe(8 * size)
  expect(await list()).toEqual({ ids: ids.slice(0, 8), hasMore: true })
  expect(await list(ids[7])).toEqual({ ids: ids.slice(8), hasMore: false })
  expect(await list(undefined, 3)).toEqual({ ids: ids.slice(0, 3), hasMore: true })
})
