import { expect, it } from '@jest/globals'
import { readServerQuery } from './server-query.js'

it('sorts servers by each key once, however often it is named', () => {
  const query = { sort_key: [...Array<string>(1000).fill('uuid'), 'host', 'uuid'], sort_dir: ['asc', 'desc'] }
  expect(readServerQuery(query, { admin: false }).sort).toEqual([
    { key: 'uuid', descending: false },
    { key: 'host', descending: true },
  ])
})
