import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'
import { nubo as bareNubo } from '../testing/test-world.js'

stopCloudsAfterEach()

/** What is offered for the last word of a line. */
async function offered(line: string, environment: Record<string, string> = {}): Promise<string[]> {
  const { stdout } = await bareNubo(['__complete', '--', ...line.split(' ')], { environment, neverWake: true })
  return stdout
    .split('\n')
    .filter((candidate) => candidate !== '')
    .map((candidate) => candidate.split('\t')[0]!)
}

describe('completion', () => {
  it('offers commands at every level, and not the hidden one', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['server', 'image', 'completion']))
    expect(await offered('')).not.toContain('__complete')
    expect(await offered('ser')).toEqual(['server'])
    expect(await offered('server s')).toEqual(['show', 'start', 'stop', 'set'])
    expect(await offered('console log ')).toEqual(['show', 'help'])
  })

  it('offers the options of the command and those of all', async () => {
    expect(await offered('server create --f')).toEqual(['--flavor'])
    expect(await offered('server list --js')).toEqual(['--json'])
    expect(await offered('image create x --disk-format raw --pr')).toEqual(['--property', '--protected', '--private'])
  })

  it('offers what the cloud has: servers, images, flavors, key pairs', async () => {
    const { cloud } = await aCloud()
    cloud.addServer({ name: 'web-1' })
    cloud.addServer({ name: 'db' })
    cloud.addImage({ name: 'debian-12' })
    cloud.keypairs.push({ name: 'me', fingerprint: 'aa' })
    const environment = cloud.environment()
    expect(await offered('server stop w', environment)).toEqual(['web-1'])
    expect(await offered('server stop web-1 ', environment)).toEqual(['web-1', 'db'])
    expect(await offered('server create web --image ', environment)).toEqual(['debian-12'])
    expect(await offered('server create web --flavor s', environment)).toEqual(['small'])
    expect(await offered('server create web --key-name ', environment)).toEqual(['me'])
    expect(await offered('server show web-1 ', environment)).toEqual([])
  })

  it('offers fixed words and file names', async () => {
    expect(await offered('completion ')).toEqual(['bash', 'zsh', 'fish'])
    expect(await offered('server list --status S')).toEqual(['SHUTOFF'])
    expect(await offered('image create x --file ')).toEqual([':files'])
  })

  it('offers nothing, quietly, where the cloud cannot be asked', async () => {
    const environment = { OS_AUTH_URL: 'http://127.0.0.1:1', OS_USERNAME: 'u', OS_PASSWORD: 'p' }
    expect(await bareNubo(['__complete', '--', 'server', 'show', ''], { environment, neverWake: true })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
    expect(await bareNubo(['__complete', '--', 'server', 'show', ''], { neverWake: true })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })
})
