CREATE TABLE "domains" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "enabled" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "domains_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "projects" (
    "id" TEXT NOT NULL,
    "domain_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "domain_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "email" TEXT,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "default_project_id" TEXT,
    "password_hash" TEXT,
    "password_changed_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "roles" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "roles_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "role_assignments" (
    "user_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "target_kind" TEXT NOT NULL,
    "target_id" TEXT NOT NULL,

    CONSTRAINT "role_assignments_pkey" PRIMARY KEY ("user_id", "target_kind", "target_id", "role_id")
);

CREATE TABLE "revoked_tokens" (
    "audit_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "revoked_tokens_pkey" PRIMARY KEY ("audit_id")
);

CREATE TABLE "revocation_marks" (
    "subject_kind" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "not_before" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "revocation_marks_pkey" PRIMARY KEY ("subject_kind", "subject_id")
);

CREATE TABLE "login_failures" (
    "subject" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "last_failed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "login_failures_pkey" PRIMARY KEY ("subject")
);

CREATE TABLE "images" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "name" TEXT,
    "status" TEXT NOT NULL,
    "visibility" TEXT NOT NULL,
    "disk_format" TEXT,
    "container_format" TEXT,
    "min_disk_gib" INTEGER NOT NULL DEFAULT 0,
    "min_memory_mib" INTEGER NOT NULL DEFAULT 0,
    "protected" BOOLEAN NOT NULL DEFAULT false,
    "hidden" BOOLEAN NOT NULL DEFAULT false,
    "size_bytes" BIGINT,
    "virtual_bytes" BIGINT,
    "md5" TEXT,
    "sha512" TEXT,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "properties" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "images_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "image_members" (
    "image_id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "image_members_pkey" PRIMARY KEY ("image_id", "project_id")
);

CREATE TABLE "flavors" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "vcpus" INTEGER NOT NULL,
    "memory_mib" INTEGER NOT NULL,
    "disk_gib" INTEGER NOT NULL,
    "ephemeral_gib" INTEGER NOT NULL DEFAULT 0,
    "swap_mib" INTEGER NOT NULL DEFAULT 0,
    "rxtx_factor" DOUBLE PRECISION NOT NULL DEFAULT 1,
    "public" BOOLEAN NOT NULL DEFAULT true,
    "extra_specs" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "flavors_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "flavor_access" (
    "flavor_id" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,

    CONSTRAINT "flavor_access_pkey" PRIMARY KEY ("flavor_id", "project_id")
);

CREATE TABLE "keypairs" (
    "number" SERIAL NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL DEFAULT 'ssh',
    "public_key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "keypairs_pkey" PRIMARY KEY ("user_id", "name")
);

CREATE TABLE "servers" (
    "id" UUID NOT NULL,
    "project_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "hostname" TEXT NOT NULL,
    "description" TEXT,
    "image_id" UUID,
    "flavor_id" TEXT NOT NULL,
    "flavor_name" TEXT NOT NULL,
    "vcpus" INTEGER NOT NULL,
    "memory_mib" INTEGER NOT NULL,
    "disk_gib" INTEGER NOT NULL,
    "ephemeral_gib" INTEGER NOT NULL DEFAULT 0,
    "swap_mib" INTEGER NOT NULL DEFAULT 0,
    "extra_specs" JSONB NOT NULL DEFAULT '{}',
    "key_name" TEXT,
    "public_key" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "user_data" TEXT,
    "files" JSONB NOT NULL DEFAULT '[]',
    "config_drive" BOOLEAN NOT NULL DEFAULT false,
    "requested_zone" TEXT,
    "reservation_id" TEXT NOT NULL,
    "launch_index" INTEGER NOT NULL DEFAULT 0,
    "locked" BOOLEAN NOT NULL DEFAULT false,
    "locked_reason" TEXT,
    "access_ipv4" TEXT NOT NULL DEFAULT '',
    "access_ipv6" TEXT NOT NULL DEFAULT '',
    "disk_config" TEXT NOT NULL DEFAULT 'MANUAL',
    "wanted" TEXT NOT NULL,
    "vm_state" TEXT NOT NULL,
    "task_state" TEXT,
    "power_state" INTEGER NOT NULL DEFAULT 0,
    "seen_session" UUID,
    "seen_sequence" BIGINT NOT NULL DEFAULT 0,
    "host_id" UUID,
    "incarnation" INTEGER NOT NULL DEFAULT 0,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "fault" JSONB,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "launched_at" TIMESTAMPTZ(6),
    "terminated_at" TIMESTAMPTZ(6),
    "deleted_at" TIMESTAMPTZ(6),

    CONSTRAINT "servers_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "hosts" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "disabled_reason" TEXT,
    "forced_down" BOOLEAN NOT NULL DEFAULT false,
    "session_id" UUID,
    "seen_sequence" BIGINT NOT NULL DEFAULT 0,
    "fencing_epoch" INTEGER NOT NULL DEFAULT 1,
    "last_heard_at" TIMESTAMPTZ(6),
    "address" TEXT NOT NULL DEFAULT '',
    "architecture" TEXT NOT NULL,
    "hypervisor_type" TEXT NOT NULL,
    "hypervisor_version" INTEGER NOT NULL,
    "virt_type" TEXT NOT NULL,
    "virt_type_reason" TEXT NOT NULL DEFAULT '',
    "cpu_info" JSONB NOT NULL DEFAULT '{}',
    "total_vcpus" INTEGER NOT NULL,
    "total_memory_mib" INTEGER NOT NULL,
    "total_disk_gib" INTEGER NOT NULL,
    "reserved_memory_mib" INTEGER NOT NULL DEFAULT 0,
    "reserved_disk_gib" INTEGER NOT NULL DEFAULT 0,
    "vcpu_ratio" DOUBLE PRECISION NOT NULL DEFAULT 4,
    "overhead_mib" INTEGER NOT NULL DEFAULT 0,
    "capacity_vcpus" INTEGER NOT NULL,
    "capacity_memory_mib" INTEGER NOT NULL,
    "capacity_disk_gib" INTEGER NOT NULL,
    "used_vcpus" INTEGER NOT NULL DEFAULT 0,
    "used_memory_mib" INTEGER NOT NULL DEFAULT 0,
    "used_disk_gib" INTEGER NOT NULL DEFAULT 0,
    "server_count" INTEGER NOT NULL DEFAULT 0,
    "uptime_seconds" INTEGER NOT NULL DEFAULT 0,
    "boot_id" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "hosts_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "allocations" (
    "server_id" UUID NOT NULL,
    "incarnation" INTEGER NOT NULL,
    "host_id" UUID NOT NULL,
    "vcpus" INTEGER NOT NULL,
    "memory_mib" INTEGER NOT NULL,
    "disk_gib" INTEGER NOT NULL,
    "fencing_epoch" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "allocations_pkey" PRIMARY KEY ("server_id", "incarnation")
);

CREATE TABLE "project_quotas" (
    "project_id" TEXT NOT NULL,
    "limits" JSONB NOT NULL DEFAULT '{}',
    "used_instances" INTEGER NOT NULL DEFAULT 0,
    "used_cores" INTEGER NOT NULL DEFAULT 0,
    "used_ram_mib" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "project_quotas_pkey" PRIMARY KEY ("project_id")
);

CREATE TABLE "operations" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "server_id" UUID,
    "project_id" TEXT NOT NULL,
    "user_id" TEXT,
    "request_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "input" JSONB NOT NULL DEFAULT '{}',
    "message" TEXT,
    "failure_scope" TEXT,
    "deadline_at" TIMESTAMPTZ(6),
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "operations_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "operation_steps" (
    "id" UUID NOT NULL,
    "operation_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "direction" TEXT NOT NULL DEFAULT 'do',
    "state" TEXT NOT NULL DEFAULT 'open',
    "queue" TEXT NOT NULL,
    "host_id" UUID,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "next_hint_at" TIMESTAMPTZ(6),
    "hints" INTEGER NOT NULL DEFAULT 0,
    "result" JSONB,
    "opened_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "operation_steps_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "placement_decisions" (
    "id" BIGSERIAL NOT NULL,
    "server_id" UUID NOT NULL,
    "operation_id" UUID NOT NULL,
    "host_id" UUID,
    "decision" JSONB NOT NULL,
    "decided_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "placement_decisions_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "control_services" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "binary" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_heard_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "control_services_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "domains_name_key" ON "domains"("name");
CREATE UNIQUE INDEX "projects_domain_id_name_key" ON "projects"("domain_id", "name");
CREATE UNIQUE INDEX "users_domain_id_name_key" ON "users"("domain_id", "name");
CREATE UNIQUE INDEX "roles_name_key" ON "roles"("name");
CREATE INDEX "images_project_id_idx" ON "images"("project_id");
CREATE UNIQUE INDEX "flavors_name_key" ON "flavors"("name");
CREATE INDEX "servers_project_id_created_at_id_idx" ON "servers"("project_id", "created_at" DESC, "id");
CREATE INDEX "servers_host_id_idx" ON "servers"("host_id");
CREATE INDEX "servers_image_id_idx" ON "servers"("image_id");
CREATE UNIQUE INDEX "hosts_number_key" ON "hosts"("number");
CREATE UNIQUE INDEX "hosts_name_key" ON "hosts"("name");
CREATE INDEX "allocations_host_id_idx" ON "allocations"("host_id");
CREATE INDEX "operations_server_id_started_at_idx" ON "operations"("server_id", "started_at" DESC);
CREATE INDEX "operation_steps_operation_id_opened_at_idx" ON "operation_steps"("operation_id", "opened_at");
CREATE INDEX "placement_decisions_server_id_id_idx" ON "placement_decisions"("server_id", "id" DESC);
CREATE UNIQUE INDEX "control_services_number_key" ON "control_services"("number");
CREATE UNIQUE INDEX "control_services_binary_host_key" ON "control_services"("binary", "host");

ALTER TABLE "projects" ADD CONSTRAINT "projects_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "users" ADD CONSTRAINT "users_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say.

ALTER TABLE "role_assignments" ADD FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE;
ALTER TABLE "role_assignments" ADD FOREIGN KEY ("role_id") REFERENCES "roles"("id") ON DELETE CASCADE;
ALTER TABLE "role_assignments" ADD CHECK ("target_kind" IN ('project', 'domain', 'system'));
ALTER TABLE "image_members" ADD FOREIGN KEY ("image_id") REFERENCES "images"("id") ON DELETE CASCADE;
ALTER TABLE "flavor_access" ADD FOREIGN KEY ("flavor_id") REFERENCES "flavors"("id") ON DELETE CASCADE;
ALTER TABLE "keypairs" ADD FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE;
ALTER TABLE "images" ADD CHECK ("status" IN ('queued', 'saving', 'active', 'deactivated', 'killed'));
ALTER TABLE "images" ADD CHECK ("visibility" IN ('public', 'private', 'shared', 'community'));

ALTER TABLE "servers" ADD CHECK ("wanted" IN ('running', 'stopped', 'deleted'));
ALTER TABLE "servers" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE RESTRICT;
ALTER TABLE "allocations" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE RESTRICT;
ALTER TABLE "allocations" ADD FOREIGN KEY ("server_id") REFERENCES "servers"("id") ON DELETE RESTRICT;
ALTER TABLE "operation_steps" ADD FOREIGN KEY ("operation_id") REFERENCES "operations"("id") ON DELETE CASCADE;
ALTER TABLE "placement_decisions" ADD FOREIGN KEY ("server_id") REFERENCES "servers"("id") ON DELETE CASCADE;

-- Counters never fall below nothing: a room freed twice is a bug that must not pass.
ALTER TABLE "hosts" ADD CHECK ("used_vcpus" >= 0 AND "used_memory_mib" >= 0 AND "used_disk_gib" >= 0 AND "server_count" >= 0);
ALTER TABLE "project_quotas" ADD CHECK ("used_instances" >= 0 AND "used_cores" >= 0 AND "used_ram_mib" >= 0);

ALTER TABLE "operations" ADD CHECK ("state" IN ('running', 'unwinding', 'done', 'failed', 'cancelled'));
ALTER TABLE "operation_steps" ADD CHECK ("state" IN ('open', 'done', 'failed', 'revoked'));
ALTER TABLE "operation_steps" ADD CHECK ("direction" IN ('do', 'undo'));

-- One live operation a server, one open step an operation.
CREATE UNIQUE INDEX "operations_one_live_a_server" ON "operations"("server_id") WHERE "state" IN ('running', 'unwinding');
CREATE UNIQUE INDEX "operation_steps_one_open" ON "operation_steps"("operation_id") WHERE "state" = 'open';
-- The outbox, in the order in which the sweeper takes it.
CREATE INDEX "operation_steps_to_hint" ON "operation_steps"("next_hint_at") WHERE "state" = 'open';
CREATE INDEX "operations_deadlines" ON "operations"("deadline_at") WHERE "state" IN ('running', 'unwinding');
CREATE INDEX "servers_live_by_project" ON "servers"("project_id", "created_at" DESC, "id" DESC) WHERE "deleted_at" IS NULL;
