-- A host that may still carry routers, ports or addresses is not forgotten: what is on it would be made elsewhere beside it.
ALTER TABLE "ports" DROP CONSTRAINT "ports_host_id_fkey";
ALTER TABLE "ports" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id");
ALTER TABLE "routers" DROP CONSTRAINT "routers_host_id_fkey";
ALTER TABLE "routers" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id");
ALTER TABLE "routers" DROP CONSTRAINT "routers_left_host_id_fkey";
ALTER TABLE "routers" ADD FOREIGN KEY ("left_host_id") REFERENCES "hosts"("id");
ALTER TABLE "port_holders" DROP CONSTRAINT "port_holders_host_id_fkey";
ALTER TABLE "port_holders" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id");
