-- A subnet may go before the last host has let go of an address of it: the address stays held by its network and its text alone.
ALTER TABLE "port_addresses" ALTER COLUMN "subnet_id" DROP NOT NULL;
ALTER TABLE "port_addresses" DROP CONSTRAINT "port_addresses_subnet_id_fkey";
ALTER TABLE "port_addresses" ADD FOREIGN KEY ("subnet_id") REFERENCES "subnets"("id") ON DELETE SET NULL;
CREATE INDEX "subnets_subnet_pool_id_idx" ON "subnets"("subnet_pool_id");
CREATE UNIQUE INDEX "subnet_pools_default_key" ON "subnet_pools"("ip_version") WHERE "is_default";
