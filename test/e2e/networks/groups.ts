import { expect, it } from '@jest/globals'
import { inBackground } from '../../support/guest-shell.js'
import { eventually, minutes, pings } from '../../support/network-checks.js'
import type { Guest, NetworkStage } from '../../support/network-stage.js'

const tcp = (port: number) => ({ ethertype: 'IPv4', protocol: 'tcp', port_range_min: port, port_range_max: port })

/** Security groups of guests that run. */
export function groups(stage: () => NetworkStage): void {
  const inGroups = async (guest: Guest, ...security_groups: string[]) =>
    await stage().change(guest.client, `/ports/${(await stage().portOf(guest)).id}`, { port: { security_groups } })
  const group = (name: string) => stage().make(stage().demo, 'security-groups', { name })
  const rule = (security_group_id: string, rule: Record<string, unknown>) =>
    stage().make(stage().demo, 'security-group-rules', { security_group_id, ...rule })
  const withdraw = (id: string) => stage().remove(stage().demo, `/security-group-rules/${id}`)
  /** What whoever answers at that port says. */
  const call = async (from: Guest, to: Guest, port: number) =>
    (await from.shell.run(`nc -w 3 ${to.address} ${port} < /dev/null 2> /dev/null`)).output
  const reaches = (from: Guest, to: Guest, port: number) => async () => (await call(from, to, port)) === to.name
  const isKeptFrom = (from: Guest, to: Guest, port: number) => async () => (await call(from, to, port)) === ''

  it(
    'a group lets in the members of another one, as they come and go',
    async () => {
      const { one, two, three } = stage()
      await two.shell.run(inBackground('nc -ll -p 8080 -e hostname'))
      await two.shell.run(inBackground('nc -ll -p 8081 -e cat'))
      const [web, clients] = [await group('web'), await group('clients')]
      await rule(web, { direction: 'ingress', ...tcp(8080), remote_group_id: clients })
      await inGroups(two, web)
      const byDefault = await stage().groupOf(stage().demo, 'default')
      await inGroups(one, byDefault, clients)
      await eventually('who is no member is kept out', isKeptFrom(three, two, 8080))
      await eventually('a member comes in', reaches(one, two, 8080))
      await inGroups(three, byDefault, clients)
      await eventually('a new member comes in, on another port of the network', reaches(three, two, 8080))
      await inGroups(one, byDefault)
      await eventually('who is none any more is kept out', isKeptFrom(one, two, 8080))
      expect(await call(three, two, 8080)).toBe(two.name)
      await inGroups(three, byDefault)
    },
    10 * minutes,
  )

  it(
    'a rule that is taken away ends what it let begin, and nothing else',
    async () => {
      const { one, two } = stage()
      const web = await stage().groupOf(stage().demo, 'web')
      const letting = await rule(web, { direction: 'ingress', ...tcp(8081), remote_ip_prefix: '192.168.40.0/24' })
      await rule(web, { direction: 'ingress', ethertype: 'IPv4', protocol: 'icmp' })
      const opened = `rm -f /tmp/say; mkfifo /tmp/say; ${inBackground(`nc ${two.address} 8081 < /tmp/say > /tmp/said`)}; exec 3> /tmp/say`
      await eventually('it is connected', async () => {
        await one.shell.run(`exec 3>&-; ${opened}; echo before >&3; usleep 300000`)
        return (await one.shell.run('cat /tmp/said')).output === 'before'
      })
      await one.shell.run(inBackground(`ping -i 0.2 ${two.address} > /tmp/pings`))
      await withdraw(letting)
      await eventually(
        'nobody new is let in',
        async () => (await one.shell.run(`nc -w 3 ${two.address} 8081 < /dev/null`)).code !== 0,
      )
      await one.shell.run('echo after >&3')
      expect(await pings(one, two.address)).toBe(true)
      expect((await one.shell.run('cat /tmp/said')).output).toBe('before')
      const { output } = await one.shell.run(
        `killall -INT ping; while pidof ping > /dev/null; do usleep 50000; done; sed -n 's/.* seq=\\([0-9]*\\) .*/\\1/p' /tmp/pings`,
      )
      // The last one may have been on its way. None that was sent before one that came back is missing.
      const answered = output.split('\n').map(Number)
      expect(answered).toEqual(answered.map((_, index) => index))
      expect(answered.length).toBeGreaterThan(1)
      await rule(web, { direction: 'ingress', ...tcp(8081), remote_ip_prefix: '192.168.40.0/24' })
      await eventually('it goes on where it is right again', async () =>
        (await one.shell.run('cat /tmp/said')).output.includes('after'),
      )
      await one.shell.run('exec 3>&-')
    },
    10 * minutes,
  )

  it(
    'what a guest may send is what its groups say',
    async () => {
      const { one, two } = stage()
      const mute = await group('mute')
      for (const { id } of await stage().list(stage().demo, 'security-group-rules', `?security_group_id=${mute}`))
        await withdraw(id)
      await inGroups(one, mute)
      await eventually('nothing goes out', async () => !(await pings(one, two.address)))
      const lease = await one.shell.run('udhcpc -i eth0 -n -q -t 5 -T 3 -f -s /bin/true')
      expect(lease.code).toBe(0)
      await rule(mute, { direction: 'egress', ethertype: 'IPv4', protocol: 'icmp' })
      await eventually('what is named goes out', () => pings(one, two.address))
      expect(await call(one, two, 8080)).toBe('')
      const byDefault = await stage().groupOf(stage().demo, 'default')
      for (const guest of [one, two]) await inGroups(guest, byDefault)
      await eventually('members of the default group meet', reaches(one, two, 8080))
    },
    10 * minutes,
  )
}
