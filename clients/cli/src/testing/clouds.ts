import { afterEach } from '@jest/globals'
import { FakeCloud, type FakeCloudOptions } from './fake-cloud.js'
import { nubo, type Outcome, type TestWorldOptions } from './test-world.js'

const started: FakeCloud[] = []

/** A cloud for one test, with `nubo` pointed at it. */
export async function aCloud(options: FakeCloudOptions = {}): Promise<{
  cloud: FakeCloud
  nubo: (line: string | string[], world?: TestWorldOptions) => Promise<Outcome>
}> {
  const cloud = await FakeCloud.start(options)
  started.push(cloud)
  const pointed = (line: string | string[], world: TestWorldOptions = {}) =>
    nubo(line, { ...world, environment: { ...cloud.environment(), ...world.environment } })
  return { cloud, nubo: pointed }
}

export function stopCloudsAfterEach(): void {
  afterEach(async () => {
    for (const cloud of started.splice(0)) await cloud.stop()
  })
}
