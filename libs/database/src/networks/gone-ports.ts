// Pieces of the statements that delete ports for their tenants, be they of servers or not. The ports are locked by a statement
// before: what leads to a port that is locked here is read as it is under that lock, and not as it was before the wait.

/**
 * CTEs beside one named `port`, of ports with `id, project_id, network_id, host_id, gone_at` as they were, that are deleted for
 * their tenant now or were before: takes their floating IPs and their groups off them, and gives back what of the quota they
 * still take.
 */
export const withoutPorts = `
  floating AS (
    SELECT f.id, f.router_id FROM floating_ips f JOIN port ON f.fixed_port_id = port.id),
  loose AS (
    UPDATE floating_ips f SET fixed_port_id = NULL, fixed_address = NULL, router_id = NULL,
      revision_number = f.revision_number + 1, updated_at = clock_timestamp()
    FROM floating WHERE f.id = floating.id),
  membership AS (DELETE FROM port_security_groups g USING port WHERE g.port_id = port.id),
  quota AS (
    UPDATE project_quotas q SET used_ports = q.used_ports - counted.ports
    FROM (SELECT project_id, count(*) AS ports FROM port WHERE gone_at IS NULL GROUP BY project_id) counted
    WHERE q.project_id = counted.project_id)`

/** The changes of networks that come with `withoutPorts`: the routers that led floating IPs to these ports. */
export const routersWithout = `SELECT 'router' AS subject, router_id AS id FROM floating WHERE router_id IS NOT NULL`

/** The changes of networks that `ports`, with `id, network_id, host_id`, are: of their hosts, networks and groups. */
export const changesOf = (ports: string) => `
  SELECT 'host' AS subject, host_id AS id FROM ${ports} WHERE host_id IS NOT NULL
  UNION SELECT 'network', network_id FROM ${ports}
  UNION SELECT 'group', g.group_id FROM port_security_groups g JOIN ${ports} ON ${ports}.id = g.port_id`
