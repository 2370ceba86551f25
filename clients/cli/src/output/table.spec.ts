import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { detailTable, listTable, wrap } from './table.js'
import { cut, displayWidth, humanBytes, humanDuration, printable, withoutTerminalCommands } from './text.js'
import type { View } from './view.js'

interface Row {
  id: string
  name: string
  size: number
}

const view: View<Row> = [
  { key: 'id', title: 'ID', value: ({ id }) => id, whole: true },
  { key: 'name', title: 'Name', value: ({ name }) => name },
  { key: 'size', title: 'Size', value: ({ size }) => size, right: true },
]

const plain = { bold: (text: string) => text, faint: (text: string) => text, coloured: (text: string) => text }

describe('listTable', () => {
  it('aligns columns, numbers to the right', () => {
    const rows = [
      { id: 'a1', name: 'web', size: 5 },
      { id: 'b22', name: 'database', size: 1000 },
    ]
    expect(listTable(view, rows, plain, undefined)).toBe(
      ['ID   NAME      SIZE', 'a1   web          5', 'b22  database  1000', ''].join('\n'),
    )
  })

  it('cuts only what may be cut, so that rows fit the terminal', () => {
    const rows = [{ id: 'an-id-of-some-length', name: 'a name much longer than there is room for', size: 7 }]
    const lines = listTable(view, rows, plain, 50).trimEnd().split('\n')
    expect(lines[1]).toContain('an-id-of-some-length')
    expect(lines[1]).toContain('…')
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(50)
  })

  it('cuts nothing where there is no terminal', () => {
    const name = 'x'.repeat(500)
    expect(listTable(view, [{ id: '1', name, size: 1 }], plain, undefined)).toContain(name)
  })

  it('counts cells, not code units', () => {
    const rows = [
      { id: '1', name: '服务器', size: 1 },
      { id: '2', name: 'e\u0301te', size: 2 },
    ]
    const lines = listTable(view, rows, plain, undefined).trimEnd().split('\n')
    expect(new Set(lines.map(displayWidth)).size).toBe(1)
  })
})

describe('detailTable', () => {
  it('shows what is known and wraps long values under themselves', () => {
    const some: View<{ note: string | undefined; id: string }> = [
      { key: 'id', title: 'ID', value: ({ id }) => id },
      { key: 'note', title: 'Note', value: ({ note }) => note },
    ]
    expect(detailTable(some, { id: '1', note: undefined }, plain, 80)).toBe('ID  1\n')
    expect(detailTable(some, { id: '1', note: 'one two three four five six' }, plain, 26)).toBe(
      ['ID    1', 'Note  one two three four', '      five six', ''].join('\n'),
    )
  })
})

describe('text', () => {
  it('never lets text from the cloud command the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
      }),
    )
    expect(printable('\u001b]0;title\u0007x')).toBe('\\x1b]0;title\\x07x')
  })

  it('keeps colours of a console, and nothing else that a terminal obeys', () => {
    const written = '\u001b[2J\u001b[1;31mred\u001b[0m\r\n\u001b]0;owned\u0007\u001b[6nlogin:\u001bc \u009b5n\b'
    expect(withoutTerminalCommands(written)).toBe('\u001b[1;31mred\u001b[0m\r\nlogin: 5n')
  })

  it('cuts to the width asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width)
      }),
    )
  })

  it('wraps without losing a word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 5, max: 40 }), (words, width) => {
        const lines = wrap(words.join(' '), width)
        expect(lines.join(' ')).toBe(words.join(' '))
        for (const line of lines) if (line.includes(' ')) expect(line.length).toBeLessThanOrEqual(width)
      }),
    )
  })

  it('writes amounts as people read them', () => {
    expect([0, 1023, 1536, 250 * 1024 ** 2, 5 * 1024 ** 4].map(humanBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.5 KiB',
      '250 MiB',
      '5.0 TiB',
    ])
    expect([0, 4230, 83_000].map(humanDuration)).toEqual(['0.0 s', '4.2 s', '1 min 23 s'])
  })
})
