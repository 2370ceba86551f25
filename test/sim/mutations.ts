import type { Mutation } from './mutation.js'

const freed = 'FROM freed f WHERE h.id = f.host_id)'
const roomOfLastPlace = `FROM (
  SELECT o.id AS host_id, v.vcpus, v.memory_mib + o.overhead_mib AS memory_mib, v.disk_gib
  FROM servers v JOIN placement_decisions d ON d.server_id = v.id JOIN hosts o ON o.id = d.host_id
  WHERE v.id = $1 ORDER BY d.id DESC LIMIT 1) f WHERE h.id = f.host_id)`

/**
 * What was broken on purpose. `withinSeeds` leaves room over what it took; what has none shows too seldom to be looked for in a
 * test, or never, as another rule keeps the promise without it: see README.md.
 */
export const mutations: readonly Mutation[] = [
  {
    name: 'room-not-given-back',
    what: 'room that is freed in one place and not in the other',
    rule: 'used_memory_mib = used_memory_mib - f.memory_mib',
    instead: 'used_memory_mib = used_memory_mib',
    withinSeeds: 10,
  },
  {
    name: 'room-released-twice',
    what: 'counters of a host that fall whether or not the allocation was still there',
    rule: freed,
    instead: roomOfLastPlace,
    withinSeeds: 60,
  },
  {
    name: 'room-not-looked-at',
    what: 'a claim that does not look whether there is room',
    rule: `AND h.used_vcpus + v.vcpus <= h.capacity_vcpus
      AND h.used_memory_mib + v.memory_mib + h.overhead_mib <= h.capacity_memory_mib`,
    instead: '',
    withinSeeds: 150,
  },
  {
    name: 'quota-not-looked-at',
    what: 'a quota that is not looked at',
    rule: 'OR q.used_instances + excluded.used_instances <=',
    instead: 'OR 0 <=',
    withinSeeds: 20,
  },
  {
    name: 'quota-not-given-back',
    what: 'a quota that a deletion does not give back',
    rule: 'used_instances = used_instances - 1',
    instead: 'used_instances = used_instances',
    withinSeeds: 10,
  },
  {
    name: 'quota-freed-twice',
    what: 'a quota that a server which was deleted already gives back again',
    rule: 'WHERE id = $1 AND deleted_at IS NULL RETURNING',
    instead: 'WHERE id = $1 RETURNING',
  },
  {
    name: 'key-claimed-twice',
    what: 'a key that a second request may claim too',
    rule: "WHERE k.created_at <= clock_timestamp() - interval '24 hours'",
    instead: '',
    withinSeeds: 80,
  },
  {
    name: 'fence-not-raised',
    what: 'commands that raise no fence',
    rule: 'SET fence = fence + $8',
    instead: 'SET fence = GREATEST(1, $8 * 0)',
    withinSeeds: 20,
  },
  {
    name: 'seen-not-recorded',
    what: 'what a host saw of its guests, written down nowhere',
    rule: 'WHERE v.id = g.server_id AND v.host_id = $1',
    instead: 'WHERE false',
    withinSeeds: 120,
  },
  {
    name: 'seen-before-by-a-result',
    what: 'what was seen when a command ended, taken for what is, though something else was seen since',
    rule: 'v.seen_sequence > CASE',
    instead: 'false AND v.seen_sequence > CASE',
  },
  {
    name: 'seen-of-any-incarnation',
    what: 'what was seen of a guest, taken for what its successor is',
    rule: 'AND v.incarnation = g.incarnation',
    instead: '',
  },
  {
    name: 'seen-in-any-session',
    what: 'what was seen in a session that is over, taken for what is',
    rule: 'AND EXISTS (SELECT FROM hosts h WHERE h.id = $1 AND h.session_id = $2)',
    instead: '',
  },
  {
    name: 'registration-taken-again',
    what: 'a registration that is taken again, late, as if it were new',
    rule: 'AND last_registration < $3',
    instead: '',
  },
  {
    name: 'address-given-early',
    what: 'an address that is given to another while a host still carries who had it',
    rule: 'p.plan_revision <= host.applied AND p.gone_at IS NOT NULL',
    instead: 'p.gone_at IS NOT NULL',
  },
  {
    name: 'port-gone-at-once',
    what: 'a deleted port that waits for no host',
    rule: `held AS (
    UPDATE ports p SET gone_at = clock_timestamp(), plan_revision = NULL
    FROM port WHERE p.id = port.id AND port.host_id IS NOT NULL),
  deleted AS (DELETE FROM ports p USING port WHERE p.id = port.id AND port.host_id IS NULL)`,
    instead: 'deleted AS (DELETE FROM ports p USING port WHERE p.id = port.id)',
    withinSeeds: 50,
  },
  {
    name: 'router-moved-at-once',
    what: 'a router that another host gets before the first has let go of it',
    rule: 'SET left_host_id = r.host_id, host_id = NULL',
    instead: 'SET left_host_id = NULL, host_id = NULL',
  },
  {
    name: 'ports-left-behind',
    what: 'ports that stay on a host which their server has left',
    rule: "UPDATE ports p SET host_id = NULL, plan_revision = NULL, status = 'DOWN', updated_at = clock_timestamp()\n    FROM freed",
    instead: 'UPDATE ports p SET updated_at = clock_timestamp()\n    FROM freed',
    withinSeeds: 300,
  },
  {
    name: 'port-quota-not-given-back',
    what: 'ports that go with their server, and stay counted',
    rule: 'SET used_ports = q.used_ports - counted.ports',
    instead: 'SET used_ports = q.used_ports',
    withinSeeds: 60,
  },
  {
    name: 'plan-applied-in-any-session',
    what: 'what a host carried in a session that is over, taken for what it carries',
    rule: 'AND h.session_id = $2 AND $3 <= n.wanted',
    instead: 'AND $3 <= n.wanted',
  },
  {
    name: 'networks-said-in-any-order',
    what: 'what a host said of its networks before, taken for what it says now',
    rule: 'AND (n.seen_session IS DISTINCT FROM $2 OR $7::bigint IS NULL OR n.seen_sequence < $7)',
    instead: '',
    withinSeeds: 250,
  },
  {
    name: 'routers-after-boot',
    what: 'a host that makes its routers as soon as it is on again, wherever they live by now',
    module: 'services/compute-agent/dist/networks/kept-plan.js',
    rule: '{ ...plan, routers: [] }',
    instead: 'plan',
    withinSeeds: 200,
  },
  {
    name: 'older-plan-taken',
    what: 'a host that carries out whatever plan comes last',
    module: 'services/compute-agent/dist/networks/networks.js',
    rule: 'revision < plan.revision || ',
    instead: '',
    withinSeeds: 200,
  },
  {
    name: 'idle-sweeper',
    what: 'a sweeper that does nothing',
    module: 'libs/workflow/dist/sweeper.js',
    rule: 'await store.takeDueSteps(batchSize)',
    instead: '[]',
    withinSeeds: 30,
  },
  {
    name: 'mute-sweeper',
    what: 'a sweeper that takes what is due, and tells nobody',
    module: 'libs/workflow/dist/sweeper.js',
    rule: 'await caster.cast(ids)',
    instead: 'undefined',
    withinSeeds: 40,
  },
  {
    name: 'no-hint-after-commit',
    what: 'a next step that only the sweeper tells of',
    module: 'services/scheduler/dist/placer.js',
    rule: 'this.options.caster.cast(',
    instead: '(() => undefined)(',
    withinSeeds: 80,
  },
  {
    name: 'any-result-is-current',
    what: 'a result taken from whichever host, for whichever step it names',
    module: 'services/conductor/dist/results.js',
    rule: 'located && isCurrent(located, result) ? located : undefined',
    instead: 'located',
    withinSeeds: 100,
  },
  {
    name: 'agent-without-fence',
    what: 'an agent that does what it is told, however late',
    module: 'services/compute-agent/dist/commands/intake.js',
    rule: 'entry && fence < entry.fence',
    instead: 'false',
  },
  {
    name: 'agent-of-any-session',
    what: 'an agent that takes commands of sessions that are over',
    module: 'services/compute-agent/dist/agent.js',
    rule: 'command.sessionId === this.session.id',
    instead: 'true',
  },
  {
    name: 'agent-removes-any-incarnation',
    what: 'a removal that takes the successor too',
    module: 'services/compute-agent/dist/commands/destroy.js',
    rule: 'there.incarnation <= incarnation',
    instead: 'true',
  },
  {
    name: 'result-told-once',
    what: 'an agent that tells once how a command ended',
    module: 'services/compute-agent/dist/reports/results.js',
    rule: 'nowMs >= atMs',
    instead: 'false',
    withinSeeds: 150,
  },
]
