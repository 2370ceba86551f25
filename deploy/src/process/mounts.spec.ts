import { describe, expect, it } from '@jest/globals'
import { mountPoints } from './mounts.js'

describe('mountPoints', () => {
  it('reads paths with blanks', () => {
    const text = '22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:5 /x /run/my\\040clone rw shared:7 - tmpfs tmpfs rw\n'
    expect(mountPoints(text)).toEqual(new Set(['/', '/run/my clone']))
  })

  it('knows that /proc is mounted here', () => {
    expect(mountPoints()).toContain('/proc')
  })
})
