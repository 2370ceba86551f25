import { expect, it } from '@jest/globals'
import { withoutLocks } from './locks.js'

it.each([
  ['SELECT id FROM servers WHERE id = $1 FOR UPDATE', 'SELECT id FROM servers WHERE id = $1'],
  ['SELECT 1 FROM a, b\n  WHERE a.id = b.id FOR NO KEY UPDATE OF a, b', 'SELECT 1 FROM a, b\n  WHERE a.id = b.id'],
  [
    'DELETE FROM a USING (SELECT id FROM a LIMIT 1 FOR UPDATE SKIP LOCKED) d WHERE a.id = d.id',
    'DELETE FROM a USING (SELECT id FROM a LIMIT 1) d WHERE a.id = d.id',
  ],
  [
    'WITH b AS (SELECT 1 FROM a FOR KEY SHARE OF a), c AS (SELECT 2 FROM b FOR SHARE NOWAIT) SELECT FROM c',
    'WITH b AS (SELECT 1 FROM a), c AS (SELECT 2 FROM b) SELECT FROM c',
  ],
])('asks for no lock in %j', (text, instead) => {
  expect(withoutLocks(text)).toBe(instead)
})

it.each([
  'INSERT INTO a VALUES ($1) ON CONFLICT (id) DO UPDATE SET b = 1',
  "SELECT substring(name FROM 1 FOR 3) FROM a WHERE b = 'waits FOR SHAREHOLDERS'",
])('leaves %j as it is', (text) => {
  expect(withoutLocks(text)).toBe(text)
})
