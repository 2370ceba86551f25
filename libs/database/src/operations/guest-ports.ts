/**
 * The interfaces of the server `v`, as JSON, in the order in which its guest finds them (`GuestPort`): with what network_data.json
 * says of each.
 */
export const guestPorts = `(
  SELECT jsonb_agg(jsonb_build_object('portId', p.id, 'networkId', p.network_id, 'mac', p.mac, 'mtu', n.mtu, 'tag', p.device_tag,
    'addresses', COALESCE(a.addresses, '[]')) ORDER BY p.device_index, p.id)
  FROM ports p JOIN networks n ON n.id = p.network_id LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('address', host(a.address), 'ipVersion', s.ip_version, 'netmask', host(netmask(s.cidr)),
      'gateway', host(s.gateway), 'dhcp', s.dhcp, 'addressMode', s.address_mode, 'dnsNameservers', to_jsonb(s.dns_nameservers),
      'routes', (SELECT COALESCE(jsonb_agg(jsonb_build_object('network', host(network((r->>'destination')::inet)),
        'netmask', host(netmask((r->>'destination')::inet)), 'gateway', r->>'nexthop')), '[]') FROM jsonb_array_elements(s.host_routes) r)
      ) ORDER BY a.position, a.address) AS addresses
    FROM port_addresses a JOIN subnets s ON s.id = a.subnet_id WHERE a.port_id = p.id) a ON true
  WHERE p.server_id = v.id AND p.gone_at IS NULL)`
