CREATE TABLE "networks" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "description" TEXT NOT NULL DEFAULT '',
    "admin_state_up" BOOLEAN NOT NULL DEFAULT true,
    -- What tenants' packets may have, in bytes.
    "mtu" INTEGER NOT NULL,
    -- Outside of the cloud is behind it: routers have their gateways there.
    "external" BOOLEAN NOT NULL DEFAULT false,
    -- The external network that is taken where none is named.
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    -- vxlan, or flat: a device of each host under the name `physical_network`.
    "network_type" TEXT NOT NULL DEFAULT 'vxlan',
    "physical_network" TEXT,
    -- The VXLAN network identifier; null for flat networks.
    "vni" INTEGER,
    -- What new ports have where nothing is said.
    "port_security_enabled" BOOLEAN NOT NULL DEFAULT true,
    "dns_domain" TEXT NOT NULL DEFAULT '',
    "zone_hints" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "networks_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "networks_vni_key" ON "networks"("vni");

CREATE INDEX "networks_project_id_idx" ON "networks"("project_id");

-- Who else may use a network (access_as_shared), or see it as an external one (access_as_external).
CREATE TABLE "network_shares" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "network_id" UUID NOT NULL,
    "action" TEXT NOT NULL,
    -- A project, or `*`.
    "target_project" TEXT NOT NULL,

    CONSTRAINT "network_shares_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "network_shares_network_id_action_target_project_key" ON "network_shares"("network_id", "action", "target_project");

CREATE INDEX "network_shares_target_project_idx" ON "network_shares"("target_project");

CREATE TABLE "subnets" (
    "id" UUID NOT NULL,
    "network_id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "description" TEXT NOT NULL DEFAULT '',
    "ip_version" INTEGER NOT NULL,
    -- Address and length of prefix, such as 10.0.0.0/24.
    "cidr" INET NOT NULL,
    "gateway" INET,
    "dhcp" BOOLEAN NOT NULL DEFAULT true,
    -- [{start, end}], inclusive.
    "pools" JSONB NOT NULL DEFAULT '[]',
    "dns_nameservers" TEXT[] DEFAULT ARRAY[]::TEXT[],
    -- [{destination, nexthop}]
    "host_routes" JSONB NOT NULL DEFAULT '[]',
    -- slaac, dhcpv6-stateful or dhcpv6-stateless; null for IPv4 and where nobody of ours advertises.
    "ra_mode" TEXT,
    "address_mode" TEXT,
    "subnet_pool_id" UUID,
    -- Device owners whose ports alone may take addresses of it; empty: all.
    "service_types" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "dns_publish" BOOLEAN NOT NULL DEFAULT false,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subnets_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "subnets_network_id_idx" ON "subnets"("network_id");

CREATE INDEX "subnets_project_id_idx" ON "subnets"("project_id");

CREATE TABLE "subnet_pools" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "description" TEXT NOT NULL DEFAULT '',
    "ip_version" INTEGER NOT NULL,
    "prefixes" TEXT[],
    "min_prefix" INTEGER NOT NULL,
    "max_prefix" INTEGER NOT NULL,
    "default_prefix" INTEGER NOT NULL,
    -- Addresses (IPv4) or /64s (IPv6) that one project may take of it; null is no limit.
    "default_quota" INTEGER,
    "shared" BOOLEAN NOT NULL DEFAULT false,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subnet_pools_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "subnet_pools_project_id_idx" ON "subnet_pools"("project_id");

CREATE TABLE "ports" (
    "id" UUID NOT NULL,
    "network_id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "description" TEXT NOT NULL DEFAULT '',
    "mac" TEXT NOT NULL,
    "admin_state_up" BOOLEAN NOT NULL DEFAULT true,
    -- DOWN, BUILD or ACTIVE: what its host said last.
    "status" TEXT NOT NULL DEFAULT 'DOWN',
    -- A server, a router, a floating IP; empty while it is free.
    "device_id" TEXT NOT NULL DEFAULT '',
    "device_owner" TEXT NOT NULL DEFAULT '',
    -- Made with its server, and gone with it.
    "made_for_server" BOOLEAN NOT NULL DEFAULT false,
    -- Among the interfaces of its server, from 0; the guest sees them in this order.
    "device_index" INTEGER NOT NULL DEFAULT 0,
    -- Where it is bound: that host is told to carry it.
    "host_id" UUID,
    -- The first plan of its host that carries it as it is bound now, or, once it is gone, that carries it no more.
    "plan_revision" BIGINT,
    -- Deleted for its tenant; its addresses stay held until its host has confirmed that it carries it no more.
    "gone_at" TIMESTAMPTZ(6),
    "vnic_type" TEXT NOT NULL DEFAULT 'normal',
    "binding_profile" JSONB NOT NULL DEFAULT '{}',
    "port_security_enabled" BOOLEAN NOT NULL DEFAULT true,
    -- [{mac_address, ip_address}]
    "allowed_address_pairs" JSONB NOT NULL DEFAULT '[]',
    -- [{opt_name, opt_value, ip_version}]
    "extra_dhcp_options" JSONB NOT NULL DEFAULT '[]',
    "dns_name" TEXT NOT NULL DEFAULT '',
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ports_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "ports_network_id_mac_key" ON "ports"("network_id", "mac");

CREATE INDEX "ports_project_id_idx" ON "ports"("project_id");

CREATE INDEX "ports_device_id_idx" ON "ports"("device_id");

CREATE INDEX "ports_host_id_idx" ON "ports"("host_id");

-- An address that is given out. That it is given once only is this table's key.
CREATE TABLE "port_addresses" (
    "network_id" UUID NOT NULL,
    "address" INET NOT NULL,
    "subnet_id" UUID NOT NULL,
    "port_id" UUID NOT NULL,
    -- Among the addresses of its port, from 0.
    "position" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "port_addresses_pkey" PRIMARY KEY ("network_id", "address")
);

CREATE INDEX "port_addresses_port_id_idx" ON "port_addresses"("port_id");

CREATE INDEX "port_addresses_subnet_id_address_idx" ON "port_addresses"("subnet_id", "address");

CREATE TABLE "security_groups" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    -- Each project has one, which its ports are in where nothing is said.
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "stateful" BOOLEAN NOT NULL DEFAULT true,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "security_groups_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "security_groups_project_id_idx" ON "security_groups"("project_id");

CREATE TABLE "security_group_rules" (
    "id" UUID NOT NULL,
    "group_id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    -- ingress or egress.
    "direction" TEXT NOT NULL,
    -- IPv4 or IPv6.
    "ethertype" TEXT NOT NULL,
    -- A name or a number as it was given; null is any.
    "protocol" TEXT,
    "port_range_min" INTEGER,
    "port_range_max" INTEGER,
    "remote_ip_prefix" TEXT,
    "remote_group_id" UUID,
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "security_group_rules_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "security_group_rules_group_id_idx" ON "security_group_rules"("group_id");

CREATE INDEX "security_group_rules_remote_group_id_idx" ON "security_group_rules"("remote_group_id");

CREATE TABLE "port_security_groups" (
    "port_id" UUID NOT NULL,
    "group_id" UUID NOT NULL,

    CONSTRAINT "port_security_groups_pkey" PRIMARY KEY ("port_id", "group_id")
);

CREATE INDEX "port_security_groups_group_id_idx" ON "port_security_groups"("group_id");

-- Its interfaces and its gateway are ports whose device it is.
CREATE TABLE "routers" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "description" TEXT NOT NULL DEFAULT '',
    "admin_state_up" BOOLEAN NOT NULL DEFAULT true,
    -- The port on an external network; null without a gateway.
    "gateway_port_id" UUID,
    "snat" BOOLEAN NOT NULL DEFAULT true,
    -- [{destination, nexthop}]
    "routes" JSONB NOT NULL DEFAULT '[]',
    -- The one host that it lives on; null while it waits for one.
    "host_id" UUID,
    -- Raised by each move: a host that still carries an older one gives it up.
    "incarnation" INTEGER NOT NULL DEFAULT 0,
    -- Of the host, when the router came there.
    "fencing_epoch" INTEGER NOT NULL DEFAULT 0,
    -- The first plan of its host that carries it.
    "plan_revision" BIGINT,
    "zone_hints" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "routers_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "routers_project_id_idx" ON "routers"("project_id");

CREATE INDEX "routers_host_id_idx" ON "routers"("host_id");

CREATE TABLE "floating_ips" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    -- The port on the external network that holds the address.
    "port_id" UUID NOT NULL,
    "address" INET NOT NULL,
    "network_id" UUID NOT NULL,
    -- What it leads to; null while it leads nowhere.
    "fixed_port_id" UUID,
    "fixed_address" INET,
    "router_id" UUID,
    "dns_name" TEXT NOT NULL DEFAULT '',
    "dns_domain" TEXT NOT NULL DEFAULT '',
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revision_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "floating_ips_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "floating_ips_port_id_key" ON "floating_ips"("port_id");

CREATE UNIQUE INDEX "floating_ips_fixed_port_id_fixed_address_key" ON "floating_ips"("fixed_port_id", "fixed_address");

CREATE INDEX "floating_ips_project_id_idx" ON "floating_ips"("project_id");

CREATE INDEX "floating_ips_router_id_idx" ON "floating_ips"("router_id");

-- What of the networks changed and was not yet told to hosts: written with the change, taken out where the plans are made.
CREATE TABLE "network_changes" (
    "id" BIGSERIAL NOT NULL,
    -- network, group, router or host: whose hosts must hear of it.
    "subject" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "network_changes_pkey" PRIMARY KEY ("id")
);

-- How far each host is with the plan of its networks.
CREATE TABLE "host_networks" (
    "host_id" UUID NOT NULL,
    -- Of the newest plan: raised whenever something in it changed.
    "wanted" BIGINT NOT NULL DEFAULT 0,
    -- Of the plan that the host says it carries.
    "applied" BIGINT NOT NULL DEFAULT 0,
    -- When it is told again; null once it carries the newest.
    "next_hint_at" TIMESTAMPTZ(6),
    -- What of the newest plan the host could not do; null where it did all.
    "trouble" TEXT,

    CONSTRAINT "host_networks_pkey" PRIMARY KEY ("host_id")
);

CREATE INDEX "host_networks_next_hint_at_idx" ON "host_networks"("next_hint_at");

-- Rules that must hold however many requests race.
CREATE SEQUENCE "network_vni" MINVALUE 1 MAXVALUE 16777215 CYCLE;
CREATE UNIQUE INDEX "security_groups_default_key" ON "security_groups"("project_id") WHERE "is_default";
CREATE UNIQUE INDEX "networks_default_key" ON "networks"("is_default") WHERE "is_default";
CREATE UNIQUE INDEX "networks_flat_key" ON "networks"("physical_network") WHERE "network_type" = 'flat';
CREATE UNIQUE INDEX "security_group_rules_same_key" ON "security_group_rules"("group_id", "direction", "ethertype",
    COALESCE("protocol", ''), COALESCE("port_range_min", -1), COALESCE("port_range_max", -1),
    COALESCE("remote_ip_prefix", ''), COALESCE("remote_group_id", '00000000-0000-0000-0000-000000000000'));
ALTER TABLE "network_shares" ADD FOREIGN KEY ("network_id") REFERENCES "networks"("id") ON DELETE CASCADE;
ALTER TABLE "subnets" ADD FOREIGN KEY ("network_id") REFERENCES "networks"("id");
ALTER TABLE "ports" ADD FOREIGN KEY ("network_id") REFERENCES "networks"("id");
ALTER TABLE "port_addresses" ADD FOREIGN KEY ("port_id") REFERENCES "ports"("id") ON DELETE CASCADE;
ALTER TABLE "port_addresses" ADD FOREIGN KEY ("subnet_id") REFERENCES "subnets"("id");
ALTER TABLE "port_security_groups" ADD FOREIGN KEY ("port_id") REFERENCES "ports"("id") ON DELETE CASCADE;
ALTER TABLE "port_security_groups" ADD FOREIGN KEY ("group_id") REFERENCES "security_groups"("id");
ALTER TABLE "security_group_rules" ADD FOREIGN KEY ("group_id") REFERENCES "security_groups"("id") ON DELETE CASCADE;
ALTER TABLE "security_group_rules" ADD FOREIGN KEY ("remote_group_id") REFERENCES "security_groups"("id") ON DELETE CASCADE;
ALTER TABLE "routers" ADD FOREIGN KEY ("gateway_port_id") REFERENCES "ports"("id");
ALTER TABLE "floating_ips" ADD FOREIGN KEY ("port_id") REFERENCES "ports"("id");
ALTER TABLE "floating_ips" ADD FOREIGN KEY ("fixed_port_id") REFERENCES "ports"("id") ON DELETE SET NULL;
ALTER TABLE "floating_ips" ADD FOREIGN KEY ("router_id") REFERENCES "routers"("id");

-- What a project has of each, in the row that its requests contend for.
ALTER TABLE "project_quotas"
    ADD COLUMN "used_networks" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_subnets" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_subnet_pools" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_ports" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_routers" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_floating_ips" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_security_groups" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_security_group_rules" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "used_network_shares" INTEGER NOT NULL DEFAULT 0;
