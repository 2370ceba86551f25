-- A network's DHCP answers on every host that carries the network: what it gave up stays held until the last of them has let go.
CREATE TABLE "port_holders" (
    "port_id" UUID NOT NULL,
    "host_id" UUID NOT NULL,
    -- The first plan of the host that carries them no more.
    "plan_revision" BIGINT,

    CONSTRAINT "port_holders_pkey" PRIMARY KEY ("port_id", "host_id")
);
CREATE INDEX "port_holders_host_id_idx" ON "port_holders"("host_id");
ALTER TABLE "port_holders" ADD FOREIGN KEY ("port_id") REFERENCES "ports"("id") ON DELETE CASCADE;
ALTER TABLE "port_holders" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE;
CREATE INDEX "ports_gone_idx" ON "ports"("id") WHERE "gone_at" IS NOT NULL AND "host_id" IS NULL;
