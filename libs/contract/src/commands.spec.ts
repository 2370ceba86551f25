import { expect, it } from '@jest/globals'
import { imageSource } from './commands.js'

it('a guest may be made from an empty image: its disk is as empty, and no host refuses its command', () => {
  const image = {
    imageId: '0197a0a0-0000-7000-8000-000000000001',
    diskFormat: 'raw',
    sizeBytes: 0,
    virtualBytes: 0,
    sha512: '0'.repeat(128),
    url: 'http://images/nubo/v1/images/0197a0a0-0000-7000-8000-000000000001/file',
    credential: 'credential',
  }
  expect(imageSource.parse(image)).toEqual(image)
})
